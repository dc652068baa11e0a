import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { run, start, type StartedProgram } from '../../../appliance/run.ts'
import type { JobDetails } from '../../../server/api/history.ts'
import { askServer, type ServerAddress } from '../../../server/http-client.ts'
import { createDisk } from '../../../server/rack/disk-file.ts'
import { insideNamespace } from '../../../server/rack/inside-namespace.ts'
import type { Machine } from '../../../server/rack/machine.ts'
import { rackNetwork } from '../../../server/rack/network.ts'
import { withRack } from '../../../server/rack/rack.ts'
import { openTokens } from '../../../server/tokens.ts'

/*
 * What runs inside the namespaces of the rack: two first computers with one job each, three machines, and a power cut in the middle of a job.
 * Its only argument is a `PowerCut`; what came of it is written to `result`.
 */

export interface PowerCut {
  /** An empty directory. */
  directory: string
  /** Where the built appliance is. */
  appliance: string
  /** Data directory of an earlier first computer, whose components save building them anew. */
  earlier: string
  result: string
}

export interface PowerCutResult {
  /** Ids of the three machines in the order in which they were powered on; the first lost its power. */
  machines: string[]
  jobs: { first: JobDetails; second: JobDetails }
}

const { directory, appliance, earlier, result } = JSON.parse(process.argv[2] ?? '{}') as PowerCut
const main = join(import.meta.dirname, '../../../server/main.ts')
const url = (port: number) => `http://${rackNetwork.address}:${port}`

async function startServer(name: string, config: object): Promise<{ program: StartedProgram; data: string; token: (role: 'operator' | 'worker') => Promise<string> }> {
  const data = join(directory, name)
  const file = join(directory, `${name}.yaml`)
  await writeFile(file, stringify({ data, appliance, ...config }))
  const up = Promise.withResolvers<void>()
  const program = await start(process.execPath, [main, 'serve', '--config', file], { onErrorLine: (line) => line.includes('first computer up') && up.resolve() })
  const ended = program.ended.then(({ lastLines }): never => {
    throw new Error(`${name} ended: ${lastLines.join('\n')}`)
  })
  ended.catch(() => {})
  await Promise.race([up.promise, ended])
  return { program, data, token: (role) => openTokens(data).create({ role, name: `test-${role}` }) }
}

const details = async (server: ServerAddress, id: string): Promise<JobDetails> => (await (await askServer(server, `/jobs/${id}.json`)).json()) as JobDetails

/** Asks once a second until the job is as wanted; what is known of it then. A machine that goes off by itself fails the test. */
async function waitFor(server: ServerAddress, id: string, isWanted: (job: JobDetails) => boolean, machine: Machine): Promise<JobDetails> {
  let isOff = false
  void machine.ended.then(() => (isOff = true))
  for (;;) {
    const found = await details(server, id)
    if (isWanted(found)) return found
    if (found.status?.state === 'failed') throw new Error(`job ${id} failed: ${JSON.stringify(found.status.failure)}`)
    if (isOff) throw new Error(`${machine.name} went off: ${machine.console.tail(10).join('\n')}`)
    await sleep(1000)
  }
}

/** What an earlier first computer has built and fetched, if there was one. */
async function takeOver(data: string): Promise<void> {
  for (const folder of ['components', 'packages']) {
    await cp(join(earlier, folder), join(data, folder), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
}

const addJob = (server: ServerAddress, id: string) =>
  askServer(server, '/jobs', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id, recipe: 'debian-12', silenceLimitSeconds: 20 }),
  })

await insideNamespace(run, async () => {
  for (const name of ['first', 'second']) await takeOver(join(directory, name))
  const outcome = await withRack({ run, start }, async (rack): Promise<PowerCutResult> => {
    const second = await startServer('second', { listen: `${rackNetwork.address}:8081` })
    const servers = [{ url: url(8080) }, { url: url(8081), credential: await second.token('worker') }]
    const first = await startServer('first', { listen: `${rackNetwork.address}:8080`, netboot: { interface: rackNetwork.bridge, range: '10.77.0.100-10.77.0.199' }, servers })
    const atFirst = { url: url(8080), token: await first.token('operator') }
    const atSecond = { url: url(8081), token: await second.token('operator') }
    await addJob(atFirst, 'one')
    await cp(join(first.data, 'components'), join(second.data, 'components'), { recursive: true })
    await addJob(atSecond, 'two')

    const powerOn = async (number: number): Promise<Machine> => {
      const name = `m${number}`
      const disk = { path: join(directory, `${name}.qcow2`), format: 'qcow2', bus: 'virtio', serial: `${name}-disk` } as const
      await createDisk(disk.path, 4 * 1024 ** 3, run)
      const mac = `52:54:00:77:02:0${number}`
      return rack.startMachine({ name, mac, firmware: 'bios', nic: 'virtio-net-pci', disks: [disk], memoryMiB: 1024, cpus: 2, boot: 'network' }, directory)
    }
    const cut = await powerOn(1)
    await waitFor(atFirst, 'one', ({ status }) => status?.progress?.step === 'install-rootfs' && (status.progress.doneBytes ?? 0) > 0, cut)
    await cut.powerOff()
    const [other, heir] = [await powerOn(2), await powerOn(3)]
    const [one, two] = await Promise.all([
      waitFor(atFirst, 'one', ({ end }) => end !== undefined, heir),
      waitFor(atSecond, 'two', ({ end }) => end !== undefined, other),
    ])
    for (const { program } of [first, second]) program.kill('SIGTERM')
    return { machines: [cut, other, heir].map(({ id }) => id), jobs: { first: one, second: two } }
  })
  await writeFile(result, JSON.stringify(outcome))
  await rm(directory, { recursive: true })
  return 0
})
