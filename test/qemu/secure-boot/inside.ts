import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, start } from '../../../appliance/run.ts'
import type { MachineEvent } from '../../../server/api/event.ts'
import type { JobDetails } from '../../../server/api/history.ts'
import { createDisk } from '../../../server/rack/disk-file.ts'
import { insideNamespace } from '../../../server/rack/inside-namespace.ts'
import { rackNetwork } from '../../../server/rack/network.ts'
import { withRack } from '../../../server/rack/rack.ts'
import { addJob, eventsOf, startServer, takeOver, waitForJob } from '../first-computer.ts'

/*
 * What runs inside the namespaces of the rack: a first computer that boots by what Microsoft and Debian signed, and a machine as from the shop, with
 * Microsoft's keys and Secure Boot on. Its only argument is a `SecureBootScene`; what came of it is written to `result`.
 */

export interface SecureBootScene {
  /** An empty directory. */
  directory: string
  /** Where the built appliance is. */
  appliance: string
  /** Data directory of an earlier first computer, whose root filesystem is taken over. */
  earlier: string
  /** The folder of a recipe. */
  recipe: string
  result: string
}

export interface SecureBootOutcome {
  job: JobDetails
  events: MachineEvent[]
}

const { directory, appliance, earlier, recipe, result } = JSON.parse(process.argv[2] ?? '{}') as SecureBootScene
const serverAddress = `${rackNetwork.address}:8080`

/** The recipe for UEFI alone: to prove its image by BIOS too says nothing of Secure Boot. */
async function makeRecipe(): Promise<string> {
  const recipes = join(directory, 'recipes')
  await cp(recipe, join(recipes, 'secure'), { recursive: true })
  const path = join(recipes, 'secure', 'recipe.yaml')
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace(/^name: .*/m, 'name: secure').replace(/^firmware: .*/m, 'firmware: [uefi]'))
  return recipes
}

await insideNamespace(run, async () => {
  const recipes = [await makeRecipe()]
  await takeOver(earlier, join(directory, 'data'), ['components', 'packages'])
  const outcome = await withRack({ run, start }, async (rack): Promise<SecureBootOutcome> => {
    const netboot = { interface: rackNetwork.bridge, range: '10.77.0.100-10.77.0.199', secureBoot: true }
    const server = await startServer('data', { directory, appliance, recipes, listen: serverAddress, netboot, proof: { secureBoot: true } })
    const at = { url: `http://${serverAddress}`, token: await server.token('operator') }
    await addJob(at, { id: 'secure-1', recipe: 'secure' })
    const disk = { path: join(directory, 'disk.qcow2'), format: 'qcow2', bus: 'virtio', serial: 'secure-disk' } as const
    await createDisk(disk.path, 5 * 1024 ** 3, run)
    const spec = { firmware: 'uefi', secureBoot: true, nic: 'virtio-net-pci', disks: [disk], memoryMiB: 1024, cpus: 2, boot: 'network' } as const
    const machine = await rack.startMachine({ name: 'secure', mac: '52:54:00:77:04:01', ...spec }, directory)
    const job = await waitForJob(at, 'secure-1', ({ end, status }) => end !== undefined || status?.state === 'failed', machine)
    const events = await eventsOf(server, machine)
    server.program.kill('SIGTERM')
    return { job, events }
  })
  await writeFile(result, JSON.stringify(outcome))
  await rm(directory, { recursive: true })
  return 0
})
