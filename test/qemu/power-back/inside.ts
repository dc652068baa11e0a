import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, start } from '../../../appliance/run.ts'
import type { JobDetails } from '../../../server/api/history.ts'
import { createDisk } from '../../../server/rack/disk-file.ts'
import { insideNamespace } from '../../../server/rack/inside-namespace.ts'
import { rackNetwork } from '../../../server/rack/network.ts'
import { withRack } from '../../../server/rack/rack.ts'
import { addJob, eventsOf, startServer, takeOver, waitForJob } from '../first-computer.ts'
import type { Scene } from '../run-scene.ts'
import { writeUnprovenRecipe } from '../unproven-recipe.ts'

/*
 * What runs inside the namespaces of the rack: one machine that loses its power while it sends its disk, and comes back with that disk.
 * Its only argument is a `Scene`; what came of it is written to `result`.
 */

export interface PowerBackResult {
  job: JobDetails
  /** Kinds of step that the machine performed after it came back. */
  steps: string[]
  /** What the first computer had when the power went, and in the end. */
  storedBytes: { atCut: number; atEnd: number }
  /** Bytes that left the machine from its second claim on. */
  sentBytes: number
}

const { directory, appliance, earlier, result } = JSON.parse(process.argv[2] ?? '{}') as Scene
const name = 'm1'

async function bytesOfBlobs(data: string): Promise<number> {
  const folder = join(data, 'images/blobs/sha256')
  const sizes = await Promise.all((await readdir(folder)).map(async (blob) => (await stat(join(folder, blob))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Bytes that the machine has sent, as the end of its cable at the bridge counts them. */
const sentByMachine = async (): Promise<number> => Number(await readFile(`/sys/class/net/${name}/statistics/rx_bytes`, 'utf8'))

await insideNamespace(run, async () => {
  const recipes = join(directory, 'recipes')
  await writeUnprovenRecipe(recipes)
  await takeOver(earlier, join(directory, 'data'), ['components', 'packages'])
  const outcome = await withRack({ run, start }, async (rack): Promise<PowerBackResult> => {
    const listen = `${rackNetwork.address}:8080`
    const netboot = { interface: rackNetwork.bridge, range: '10.77.0.100-10.77.0.199' }
    const server = await startServer('data', { directory, appliance, listen, netboot, recipes: [recipes] })
    const address = { url: `http://${listen}`, token: await server.token('operator') }
    await addJob(address, { id: 'one', recipe: 'unproven', silenceLimitSeconds: 20 })

    const disk = { path: join(directory, `${name}.qcow2`), format: 'qcow2', bus: 'virtio', serial: `${name}-disk` } as const
    await createDisk(disk.path, 4 * 1024 ** 3, run)
    const powerOn = () => rack.startMachine({ name, mac: '52:54:00:77:05:01', firmware: 'bios', nic: 'virtio-net-pci', disks: [disk], memoryMiB: 1024, cpus: 2, boot: 'network' }, directory)
    const cut = await powerOn()
    // In the middle: of some 950 MB that are read.
    await waitForJob(address, 'one', ({ status }) => status?.progress?.step === 'snapshot' && (status.progress.doneBytes ?? 0) > 300e6, cut)
    await cut.powerOff()
    const atCut = await bytesOfBlobs(server.data)
    const eventsAtCut = (await eventsOf(server, cut)).length

    const back = await powerOn()
    await waitForJob(address, 'one', ({ status }) => status?.attempt === 2, back)
    const sentAtClaim = await sentByMachine()
    const job = await waitForJob(address, 'one', ({ end }) => end !== undefined, back)
    const sentBytes = (await sentByMachine()) - sentAtClaim
    const events = (await eventsOf(server, back)).slice(eventsAtCut)
    const steps = events.flatMap((event) => (event.hop === 'step' ? [event.progress.step] : []))
    const atEnd = await bytesOfBlobs(server.data)
    server.program.kill('SIGTERM')
    return { job, steps: [...new Set(steps)], storedBytes: { atCut, atEnd }, sentBytes }
  })
  await writeFile(result, JSON.stringify(outcome))
  await rm(directory, { recursive: true })
  return 0
})
