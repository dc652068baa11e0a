import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, start } from '../../../appliance/run.ts'
import type { JobDetails } from '../../../server/api/history.ts'
import { createDisk } from '../../../server/rack/disk-file.ts'
import { insideNamespace } from '../../../server/rack/inside-namespace.ts'
import type { Machine } from '../../../server/rack/machine.ts'
import { rackNetwork } from '../../../server/rack/network.ts'
import { withRack } from '../../../server/rack/rack.ts'
import { addJob, startServer, takeOver, waitForJob } from '../first-computer.ts'
import type { Scene } from '../run-scene.ts'
import { writeUnprovenRecipe } from '../unproven-recipe.ts'

/*
 * What runs inside the namespaces of the rack: two first computers with one job each, three machines, and a power cut in the middle of a job.
 * Its only argument is a `Scene`; what came of it is written to `result`.
 */

export interface PowerCutResult {
  /** Ids of the three machines in the order in which they were powered on; the first lost its power. */
  machines: string[]
  jobs: { first: JobDetails; second: JobDetails }
}

const { directory, appliance, earlier, result } = JSON.parse(process.argv[2] ?? '{}') as Scene
const url = (port: number) => `http://${rackNetwork.address}:${port}`
const job = (id: string) => ({ id, recipe: 'unproven', silenceLimitSeconds: 20 })

await insideNamespace(run, async () => {
  const recipes = join(directory, 'recipes')
  await writeUnprovenRecipe(recipes)
  for (const name of ['first', 'second']) await takeOver(earlier, join(directory, name), ['components', 'packages'])
  const outcome = await withRack({ run, start }, async (rack): Promise<PowerCutResult> => {
    const second = await startServer('second', { directory, appliance, listen: `${rackNetwork.address}:8081`, recipes: [recipes] })
    const servers = [{ url: url(8080) }, { ...second.https, credential: await second.token('worker') }]
    const netboot = { interface: rackNetwork.bridge, range: '10.77.0.100-10.77.0.199' }
    const first = await startServer('first', { directory, appliance, listen: `${rackNetwork.address}:8080`, netboot, servers, recipes: [recipes] })
    const atFirst = { url: url(8080), token: await first.token('operator') }
    const atSecond = { url: url(8081), token: await second.token('operator') }
    await addJob(atFirst, job('one'))
    await cp(join(first.data, 'components'), join(second.data, 'components'), { recursive: true })
    await addJob(atSecond, job('two'))

    const powerOn = async (number: number): Promise<Machine> => {
      const name = `m${number}`
      const disk = { path: join(directory, `${name}.qcow2`), format: 'qcow2', bus: 'virtio', serial: `${name}-disk` } as const
      await createDisk(disk.path, 4 * 1024 ** 3, run)
      const mac = `52:54:00:77:02:0${number}`
      return rack.startMachine({ name, mac, firmware: 'bios', nic: 'virtio-net-pci', disks: [disk], memoryMiB: 1024, cpus: 2, boot: 'network' }, directory)
    }
    const cut = await powerOn(1)
    await waitForJob(atFirst, 'one', ({ status }) => status?.progress?.step === 'install-rootfs' && (status.progress.doneBytes ?? 0) > 0, cut)
    await cut.powerOff()
    const [other, heir] = [await powerOn(2), await powerOn(3)]
    const [one, two] = await Promise.all([
      waitForJob(atFirst, 'one', ({ end }) => end !== undefined, heir),
      waitForJob(atSecond, 'two', ({ end }) => end !== undefined, other),
    ])
    for (const { program } of [first, second]) program.kill('SIGTERM')
    return { machines: [cut, other, heir].map(({ id }) => id), jobs: { first: one, second: two } }
  })
  await writeFile(result, JSON.stringify(outcome))
  await rm(directory, { recursive: true })
  return 0
})
