import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { run, start } from '../../../appliance/run.ts'
import type { JobDetails } from '../../../server/api/history.ts'
import type { ServerAddress } from '../../../server/http-client.ts'
import { createDisk } from '../../../server/rack/disk-file.ts'
import { insideNamespace } from '../../../server/rack/inside-namespace.ts'
import type { Machine } from '../../../server/rack/machine.ts'
import { rackNetwork } from '../../../server/rack/network.ts'
import { withRack, type Rack } from '../../../server/rack/rack.ts'
import { addJob, eventsOf, startServer, takeOver, waitForJob, type StartedServer } from '../first-computer.ts'
import type { Scene } from '../run-scene.ts'

/*
 * What runs inside the namespaces of the rack: one bare machine after the other builds a recipe, the same with another page, and one that starts from the
 * image of the first. Its only argument is a `LayersScene`; what each build took is written to `result`.
 */

export interface LayersScene extends Scene {
  /** Folder of the recipe that is built. */
  recipe: string
}

/** What a build took: seconds until the image was received, and bytes over the cable of the machine in both directions. */
export interface BuildCost {
  steps: string[]
  fromPowerOn: { seconds: number; bytes: number }
  fromClaim: { seconds: number; bytes: number }
  job: JobDetails
}

const { directory, appliance, earlier, recipe: original, result } = JSON.parse(process.argv[2] ?? '{}') as LayersScene
const recipes = join(directory, 'recipes')
const serverAddress = `${rackNetwork.address}:8080`

/** Writes the recipe under another name, changed. */
async function writeRecipe(name: string, change: (recipe: Record<string, unknown>) => void, page: string): Promise<void> {
  const folder = join(recipes, name)
  await cp(original, folder, { recursive: true })
  const recipe = parse(await readFile(join(folder, 'recipe.yaml'), 'utf8')) as Record<string, unknown>
  Object.assign(recipe, { name, image: { name } })
  change(recipe)
  await writeFile(join(folder, 'recipe.yaml'), stringify(recipe))
  await writeFile(join(folder, 'index.html'), page)
}

const shows = (page: string) => ({
  check: [{ run: 'systemctl is-active nginx.service' }, { http: { port: 80, path: '/', status: 200, contains: page } }],
  proof: { firmware: ['bios'] },
})

/** Bytes that went over the cable of a machine, as its end at the bridge counts them. */
async function bytesOf({ name }: Machine): Promise<number> {
  const counts = await Promise.all(['rx_bytes', 'tx_bytes'].map((file) => readFile(`/sys/class/net/${name}/statistics/${file}`, 'utf8')))
  return counts.reduce((sum, text) => sum + Number(text), 0)
}

async function build(id: string, { rack, server, address, number, diskBytes }: { rack: Rack; server: StartedServer; address: ServerAddress; number: number; diskBytes: number }): Promise<BuildCost> {
  const name = `m${number}`
  const disk = { path: join(directory, `${name}.qcow2`), format: 'qcow2', bus: 'virtio', serial: `${name}-disk` } as const
  await createDisk(disk.path, diskBytes, run)
  const powerOnMs = Date.now()
  const machine = await rack.startMachine(
    { name, mac: `52:54:00:77:04:0${number}`, firmware: 'bios', nic: 'virtio-net-pci', disks: [disk], memoryMiB: 1024, cpus: 2, boot: 'network' },
    directory,
  )
  await waitForJob(address, id, ({ status }) => status !== undefined, machine)
  const bootBytes = await bytesOf(machine)
  await waitForJob(address, id, ({ status, end }) => end !== undefined || status?.state === 'proving', machine)
  const bytes = await bytesOf(machine)
  await machine.powerOff()
  // The proof of its image needs no more of it.
  const job = await waitForJob(address, id, ({ end }) => end !== undefined, { ...machine, ended: new Promise(() => {}) })
  const events = await eventsOf(server, machine)
  const [claimedAt, receivedAt] = ['claim', 'image'].map((hop) => Date.parse(events.find((each) => each.hop === hop)!.time))
  const steps = events.flatMap((event) => (event.hop === 'step' ? [event.progress.step] : []))
  return {
    steps: [...new Set(steps)],
    fromPowerOn: { seconds: (receivedAt! - powerOnMs) / 1000, bytes },
    fromClaim: { seconds: (receivedAt! - claimedAt!) / 1000, bytes: bytes - bootBytes },
    job,
  }
}

await insideNamespace(run, async () => {
  await mkdir(recipes)
  await takeOver(earlier, join(directory, 'data'), ['components', 'packages'])
  await writeRecipe('layered', (recipe) => Object.assign(recipe, { proof: 'none' }), 'the first page')
  const gib = 1024 ** 3
  const costs = await withRack({ run, start }, async (rack): Promise<Record<string, BuildCost>> => {
    const netboot = { interface: rackNetwork.bridge, range: '10.77.0.100-10.77.0.199' }
    const server = await startServer('data', { directory, appliance, listen: serverAddress, netboot, recipes: [recipes] })
    const address = { url: `http://${serverAddress}`, token: await server.token('operator') }
    const context = { rack, server, address }

    await addJob(address, { id: 'first', recipe: 'layered' })
    const first = await build('first', { ...context, number: 1, diskBytes: 4 * gib })
    await writeRecipe('layered', (recipe) => Object.assign(recipe, shows('another page')), 'another page')
    await addJob(address, { id: 'changed', recipe: 'layered' })
    const changed = await build('changed', { ...context, number: 2, diskBytes: 4 * gib })
    await writeRecipe(
      'derived',
      (recipe) => {
        delete recipe.partitions
        delete recipe.install
        Object.assign(recipe, { from: 'layered:first', disk: { size: '5GiB' }, configure: [{ file: { from: 'index.html', to: '/var/www/html/index.html' } }], ...shows('a page on top') })
      },
      'a page on top',
    )
    await addJob(address, { id: 'derived', recipe: 'derived' })
    const derived = await build('derived', { ...context, number: 3, diskBytes: 6 * gib })
    server.program.kill('SIGTERM')
    await server.program.ended
    return { first, changed, derived }
  })
  await writeFile(result, JSON.stringify(costs))
  await rm(directory, { recursive: true })
  return 0
})
