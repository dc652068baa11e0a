import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { describe, expect, test } from 'vitest'
import { run, start, type StartedProgram } from '../../../appliance/run.ts'

const outer = fileURLToPath(new URL('fixtures/outer.ts', import.meta.url))

interface Seen {
  links: { ifname: string; master?: string }[]
  routes: { dst: string; dev: string }[]
  resolvConf: string
  forwarding: string
}

/** Starts a rack as a user's shell would, and waits until it stands. `mark` is how its processes are known afterwards. */
async function startRack(outside: 'outside' | 'none', how: 'end' | 'wait' | 'ignore', mark: string): Promise<{ program: StartedProgram; seen: Seen; lines: string[] }> {
  const program = await start(process.execPath, [outer, outside, 'look-around.ts', how, mark])
  const lines: string[] = []
  const reader = createInterface({ input: program.stdout! }).on('line', (line) => lines.push(line))
  await Promise.race([once(reader, 'line'), program.ended])
  return { program, seen: JSON.parse(lines[0] ?? '{}') as Seen, lines }
}

/** Processes of this rack that still run, inside and outside of its namespaces. */
const leftovers = (mark: string): string[] =>
  readdirSync('/proc').filter((entry) => {
    if (!/^\d+$/.test(entry)) return false
    try {
      return readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0').includes(mark)
    } catch {
      return false
    }
  })

/** The slirp4netns processes that serve a rack, by their argument: the process whose network namespace they were given. */
const wayOut = (pids: readonly string[]): string[] =>
  readdirSync('/proc').filter((entry) => {
    try {
      const [program, ...args] = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0')
      return program === 'slirp4netns' && args.some((argument) => pids.includes(argument))
    } catch {
      return false
    }
  })

const networkNamespaces = async (): Promise<string[]> =>
  (JSON.parse(await run('lsns', ['--json', '--type', 'net', '--output', 'NS'])) as { namespaces: { ns: number }[] }).namespaces.map(({ ns }) => String(ns))

const untilGone = async (left: () => string[]): Promise<string[]> => {
  // A process that was killed is there until its parent, or init, has noticed.
  for (let times = 0; times < 100 && left().length > 0; times++) await new Promise((resolve) => setTimeout(resolve, 50))
  return left()
}

describe.skipIf(process.getuid?.() !== 0)('a rack in namespaces of its own (needs root)', { timeout: 60_000 }, () => {
  test('the first computer gets a way out and a name server; nothing is forwarded', async () => {
    const { program, seen } = await startRack('outside', 'end', '424201')
    expect(await program.ended).toMatchObject({ exitCode: 7 })
    expect(seen.routes).toContainEqual(expect.objectContaining({ dst: 'default', dev: 'outside0' }))
    expect(seen.links).toContainEqual(expect.objectContaining({ ifname: 'm1', master: 'ingot0' }))
    expect(seen).toMatchObject({ resolvConf: 'nameserver 10.0.2.3\n', forwarding: '0' })
  })

  test('offline there is no way out at all', async () => {
    const { program, seen } = await startRack('none', 'end', '424202')
    await program.ended
    expect(seen.routes.map(({ dev }) => dev)).toEqual(['ingot0'])
  })

  test('what a machine broadcasts is heard once', async () => {
    expect(await run(process.execPath, [outer, 'none', 'hear-broadcast.ts'])).toBe('1')
  })

  test('Ctrl-C is passed on in words, and the exit code is 130', async () => {
    const { program, lines } = await startRack('outside', 'wait', '424203')
    program.kill('SIGINT')
    expect(await program.ended).toMatchObject({ exitCode: 130 })
    expect(lines.at(-1)).toBe('told: stopped by SIGINT')
    expect(await untilGone(() => leftovers('424203'))).toEqual([])
  })

  test.each([
    ['SIGINT, when what runs inside does not listen', 'SIGINT', '424204'],
    ['SIGKILL', 'SIGKILL', '424205'],
  ] as const)('%s leaves no process, namespace, device or mount', async (_, signal, mark) => {
    const [linksBefore, mountsBefore] = [await run('ip', ['-brief', 'link']), readFileSync('/proc/self/mounts', 'utf8')]
    const { program } = await startRack('outside', 'ignore', mark)
    const pids = leftovers(mark)
    const namespaces = new Set(pids.map((pid) => readlinkSync(`/proc/${pid}/ns/net`)))
    namespaces.delete(readlinkSync('/proc/self/ns/net'))
    expect([namespaces.size, wayOut(pids).length]).toEqual([1, 1])

    program.kill(signal)
    await program.ended
    expect(await untilGone(() => leftovers(mark))).toEqual([])
    expect(await untilGone(() => wayOut(pids))).toEqual([])
    const [namespace] = [...namespaces].map((name) => /\d+/.exec(name)?.[0])
    expect(await networkNamespaces()).not.toContain(namespace)
    expect(await run('ip', ['-brief', 'link'])).toBe(linksBefore)
    expect(readFileSync('/proc/self/mounts', 'utf8')).toBe(mountsBefore)
  })
})
