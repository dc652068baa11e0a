import { createReadStream } from 'node:fs'
import { createHash } from 'node:crypto'
import { mkdir, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadAppliance } from '../../../appliance/os/load-appliance.ts'
import { run, start } from '../../../appliance/run.ts'
import type { DiskRule, Plan } from '../../../images/plan.ts'
import type { JobDetails } from '../../../server/api/history.ts'
import type { DiskPlan } from '../../../server/api/disk-plan.ts'
import type { Disk } from '../../../server/api/machine.ts'
import { createComponentStore } from '../../../server/components/component-store.ts'
import { askServer, type ServerAddress } from '../../../server/http-client.ts'
import type { MachineRecord } from '../../../server/machine-store.ts'
import type { Accelerator } from '../../../server/rack/accelerator.ts'
import { insideNamespace } from '../../../server/rack/inside-namespace.ts'
import { createTap, rackNetwork } from '../../../server/rack/network.ts'
import { qemuArguments } from '../../../server/rack/qemu-arguments.ts'
import { withRack } from '../../../server/rack/rack.ts'
import { startServer } from '../first-computer.ts'

/*
 * What runs inside the namespaces of the rack: one machine after the other full of disks as loop devices cannot show them, and a job for each rule. Its only
 * argument is a `DiskScene`; what came of it is written to `result`.
 */

const mib = 2 ** 20

/** A drive of QEMU: a file, and the devices by which the machine reaches it, with `$` for the drive's id. */
export interface SceneDisk {
  name: string
  sizeMiB: number
  /** What stands at its start. */
  start?: string
  devices: string[][]
  /** Options of the drive, for example `readonly=on`. */
  drive?: string
}

export interface SceneMachine {
  name: string
  mac: string
  disks: SceneDisk[]
  /** Rule and marks of each job, by its id, in order. */
  jobs: { id: string; rule: DiskRule; marks?: string[] }[]
}

export interface DiskScene {
  /** An empty directory. */
  directory: string
  /** Where the built appliance is. */
  appliance: string
  machines: SceneMachine[]
  result: string
}

export interface MachineOutcome {
  disks: Disk[]
  /** By job: why it failed, and what had been foretold. */
  jobs: Record<string, { refusal: string | undefined; foretold: string }>
  /** Names of the disks whose bytes are others than before. */
  changed: string[]
}

const { directory, appliance, machines, result } = JSON.parse(process.argv[2] ?? '{}') as DiskScene
const serverAddress = `${rackNetwork.address}:8080`

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const bytes of createReadStream(path, { highWaterMark: mib })) hash.update(bytes as Buffer)
  return hash.digest('hex')
}

async function makeDisk({ name, sizeMiB, start: text = '' }: SceneDisk): Promise<string> {
  const path = join(directory, `${name}.raw`)
  const file = await open(path, 'w+')
  await file.truncate(sizeMiB * mib)
  if (text !== '') await file.write(text)
  await file.close()
  return path
}

/** Powers a machine on whose disks no rack has. It goes off with the namespaces at the latest. */
async function powerOn({ name, mac, disks }: SceneMachine, paths: readonly string[], accelerator: Accelerator) {
  await createTap(name, run)
  const spec = { name, mac, firmware: 'bios', nic: 'virtio-net-pci', disks: [], memoryMiB: 1024, cpus: 2, boot: 'network', accelerator } as const
  const drives = disks.flatMap(({ devices, drive }, index) => [
    // Two devices of one drive are two paths to it.
    ...['-blockdev', [`driver=raw,node-name=disk${index},file.driver=file,file.filename=${paths[index]},file.locking=off`, ...(drive === undefined ? [] : [drive])].join(',')],
    ...devices.flat().map((argument) => argument.replaceAll('$', `disk${index}`)),
  ])
  const files = { consolePath: join(directory, `${name}.console`), variablesPath: '' }
  return start('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...qemuArguments(spec, files), ...drives])
}

const planOf = (rule: DiskRule, tools: Plan['tools']): Plan => ({
  version: 1,
  recipe: { name: 'r', digest: `sha256:${'0'.repeat(64)}` },
  architecture: 'amd64',
  firmware: ['bios'],
  tools,
  steps: [
    {
      kind: 'partition',
      disk: rule,
      diskSizeBytes: 32 * mib,
      diskGuid: '3f3c5b60-0000-4000-8000-000000000001',
      partitions: [{ name: 'root', typeGuid: '0FC63DAF-8483-4772-8E79-3D69D8477DE4', startBytes: mib, sizeBytes: 16 * mib, partitionGuid: '3f3c5b60-0000-4000-8000-000000000002' }],
    },
  ],
  proof: 'none',
})

async function face(machine: SceneMachine, { at, data, tools, accelerator }: { at: ServerAddress; data: string; tools: Plan['tools']; accelerator: Accelerator }): Promise<MachineOutcome> {
  const id = machine.mac.replaceAll(':', '-')
  const paths = await Promise.all(machine.disks.map(makeDisk))
  const before = await Promise.all(paths.map(hashOf))
  await mkdir(join(data, 'plans'), { recursive: true })
  for (const job of machine.jobs) await writeFile(join(data, 'plans', `${job.id}.json`), JSON.stringify(planOf(job.rule, tools)))
  const list = machine.jobs.map((job) => ({ id: job.id, recipe: 'debian-12', requires: { machines: [id] }, maxAttempts: 1 }))
  await writeFile(join(data, 'jobs.json'), JSON.stringify({ version: 1, jobs: list }))
  const program = await powerOn(machine, paths, accelerator)
  const read = async <Answer>(path: string) => (await (await askServer(at, path)).json()) as Answer
  const jobs: MachineOutcome['jobs'] = {}
  for (const job of machine.jobs) {
    let details: JobDetails
    do {
      await new Promise((resolve) => setTimeout(resolve, 500))
      details = await read<JobDetails>(`/jobs/${job.id}.json`)
    } while (details.status?.state !== 'failed' && details.end === undefined)
    const foretold = await read<DiskPlan>(`/machines/${id}/plan?job=${job.id}`)
    jobs[job.id] = { refusal: details.status?.failure?.message, foretold: foretold.summary }
  }
  const { machines: known } = await read<{ machines: MachineRecord[] }>('/machines.json')
  program.kill('SIGKILL')
  await program.ended
  const after = await Promise.all(paths.map(hashOf))
  return { disks: known.find((each) => each.id === id)?.inventory?.disks ?? [], jobs, changed: machine.disks.filter((_, index) => before[index] !== after[index]).map(({ name }) => name) }
}

await insideNamespace(run, async () => {
  const outcome = await withRack({ run, start }, async ({ accelerator }): Promise<MachineOutcome[]> => {
    const netboot = { interface: rackNetwork.bridge, range: '10.77.0.100-10.77.0.199' }
    const server = await startServer('data', { directory, appliance, listen: serverAddress, netboot, admit: 'all' })
    const at = { url: `http://${serverAddress}`, token: await server.token('operator') }
    const { toolsPath } = await loadAppliance(appliance)
    const tools = await createComponentStore(join(server.data, 'components')).add('tools', createReadStream(toolsPath))
    for (const { mac, jobs } of machines) {
      for (const serial of jobs.flatMap(({ marks = [] }) => marks)) await askServer(at, `/machines/${mac.replaceAll(':', '-')}/scratch/${encodeURIComponent(serial)}`, { method: 'PUT' })
    }
    const outcomes: MachineOutcome[] = []
    for (const machine of machines) outcomes.push(await face(machine, { at, data: server.data, tools, accelerator }))
    server.program.kill('SIGTERM')
    return outcomes
  })
  await writeFile(result, JSON.stringify(outcome))
  await rm(directory, { recursive: true })
  return 0
})
