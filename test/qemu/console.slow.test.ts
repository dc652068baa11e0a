import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { run, start } from '../../appliance/run.ts'
import { prepareAppliance } from '../../server/demo/prepare-appliance.ts'
import { runInNamespace } from '../../server/rack/namespace.ts'
import type { ConsoleScene, ConsoleSights } from './console/inside.ts'

const cache = join(import.meta.dirname, '../../.ingot')
const limitMs = 15 * 60_000

test('F8 the console shows a bare machine from its first question on: it is admitted there, gets a job there, is followed in its steps, its log and what it says, and its job is cancelled there', { timeout: limitMs }, async () => {
  await mkdir(cache, { recursive: true })
  const directory = await mkdtemp(join(cache, 'console-'))
  const signal = AbortSignal.timeout(limitMs)
  try {
    const appliance = join(cache, 'appliance')
    await prepareAppliance({ directory: appliance, offline: false, run, log: pino({ level: 'silent' }), onProgress: () => {}, signal })
    const result = `${directory}.json`
    const scene: ConsoleScene = { directory, appliance, earlier: join(cache, 'demo/data'), result }
    const entry = join(import.meta.dirname, 'console/inside.ts')
    expect(await runInNamespace({ entry, args: [JSON.stringify(scene)], outside: true, signal, start })).toBe(0)
    const { asking, hardware, said, working, timeline, log, cancelled } = JSON.parse(await readFile(result, 'utf8')) as ConsoleSights
    await rm(result)
    expect(asking).toContain('52-54-00-77-06-01')
    for (const fact of ['QEMU', '2 cores', 'BIOS', '4 GiB', 'console-disk']) expect(hardware).toContain(fact)
    for (const line of [/^kernel: \[ +\d+\.\d+\] Linux version/m, /^worker: .*"job claimed"/m]) expect(said).toMatch(line)
    expect(working).toMatch(/\d\/\d+ \S+/)
    expect(timeline).toEqual(expect.arrayContaining(['DHCP', 'kernel', 'stage 2', 'claimed']))
    expect(log.length).toBeGreaterThan(0)
    expect(cancelled).toContain('cancelled')
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
