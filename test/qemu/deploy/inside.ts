import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { run, start } from '../../../appliance/run.ts'
import type { MachineEvent } from '../../../server/api/event.ts'
import type { NewJob } from '../../../server/api/job.ts'
import type { Status } from '../../../server/api/status.ts'
import type { ServerAddress } from '../../../server/http-client.ts'
import { openImageStore } from '../../../server/image-store/open-image-store.ts'
import { createDisk } from '../../../server/rack/disk-file.ts'
import { insideNamespace } from '../../../server/rack/inside-namespace.ts'
import type { Machine } from '../../../server/rack/machine.ts'
import type { DiskBus, Firmware } from '../../../server/rack/machine-spec.ts'
import { rackNetwork } from '../../../server/rack/network.ts'
import { withRack, type Rack } from '../../../server/rack/rack.ts'
import { createSshKey, type SshKey } from '../../../server/prove/ssh.ts'
import { addJob, eventsOf, startServer, takeOver, waitForJob, type StartedServer } from '../first-computer.ts'
import type { Scene } from '../run-scene.ts'
import { writeUnprovenRecipe } from '../unproven-recipe.ts'

/*
 * What runs inside the namespaces of the rack: a first computer with an image, and bare machines with larger disks that it is deployed to, side by side.
 * Its only argument is a `DeployScene`; what came of it is written to `result`.
 */

/** A machine and what is deployed to it. */
export interface SceneMachine {
  name: string
  mac: string
  firmware: Firmware
  bus: DiskBus
  diskBytes: number
  deploy: Omit<NonNullable<NewJob['deploy']>, 'image' | 'sshKeys'>
  /** Who logs in, with the key that the scene makes. */
  user: string
  /** Where it is reached; default: at the address that it gets by DHCP. */
  address?: string
}

export interface DeployScene extends Scene {
  /** Packages that the image has beside those of the shipped recipe; it is then built for this scene. */
  packages?: string[]
  machines: SceneMachine[]
}

/** What a machine is after it has booted its own disk. */
export interface DeployedMachine {
  id: string
  status: Status
  hops: MachineEvent['hop'][]
  hostname: string
  fullName: string
  machineId: string
  sshHostKey: string
  rootBytes: number
  /** What cloud-init takes the machine for; `none` where there is none. */
  instanceId: string
  addresses: string[]
}

const { directory, appliance, earlier, packages = [], machines, result } = JSON.parse(process.argv[2] ?? '{}') as DeployScene
const serverAddress = `${rackNetwork.address}:8080`

/** The newest image that an earlier first computer made, or one that is made now. */
async function findImage(rack: Rack, server: ServerAddress, data: string): Promise<string> {
  const images = await openImageStore(join(data, 'images'))
  const newest = (await images.list()).at(-1)
  images.close()
  if (newest !== undefined && packages.length === 0) return newest.name
  const recipe = packages.length === 0 ? 'debian-12' : 'unproven'
  await addJob(server, { id: 'build', recipe })
  const builder = await powerOn(rack, { name: 'builder', mac: '52:54:00:77:03:00', firmware: 'bios', bus: 'virtio', diskBytes: 4 * 1024 ** 3 })
  await waitForJob(server, 'build', ({ end }) => end !== undefined, builder)
  await builder.powerOff()
  return recipe
}

async function powerOn(rack: Rack, { name, mac, firmware, bus, diskBytes }: Omit<SceneMachine, 'deploy' | 'user'>): Promise<Machine> {
  const disk = { path: join(directory, `${name}.qcow2`), format: 'qcow2', bus, serial: `${name}-disk` } as const
  await createDisk(disk.path, diskBytes, run)
  return rack.startMachine({ name, mac, firmware, nic: 'virtio-net-pci', disks: [disk], memoryMiB: 1024, cpus: 2, boot: 'network' }, directory)
}

/** Runs a script on a machine, as soon as it lets us in. */
async function bySsh(login: string, script: string, { path }: SshKey, signal: AbortSignal): Promise<string> {
  const options = ['-i', path, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=5', '-o', 'LogLevel=ERROR', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null']
  for (;;) {
    try {
      return await run('ssh', ['-F', '/dev/null', ...options, login, '/bin/sh', '-s'], { input: script, signal })
    } catch (error) {
      if (signal.aborted) throw error
      await sleep(1000)
    }
  }
}

const look = 'hostname; hostname -f; cat /etc/machine-id; cut -d" " -f2 /etc/ssh/ssh_host_ed25519_key.pub; df --block-size=1 --output=size / | tail -n 1; cat /var/lib/cloud/data/instance-id || echo none; ip -4 -o address show scope global | awk "{print \\$4}"'

async function deploy(machine: SceneMachine, { rack, server, at, image, key }: { rack: Rack; server: StartedServer; at: ServerAddress; image: string; key: SshKey }): Promise<DeployedMachine> {
  const id = `deploy-${machine.name}`
  await addJob(at, { id, deploy: { image, ...machine.deploy, sshKeys: [key.publicKey] }, assignedTo: machine.mac.replaceAll(':', '-') })
  const on = await powerOn(rack, machine)
  const { status } = await waitForJob(at, id, ({ end }) => end !== undefined, on)
  const signal = AbortSignal.timeout(600_000)
  await on.console.waitFor(/login:$/m, signal)
  const leased = (await eventsOf(server, on)).findLast((event) => event.hop === 'dhcp-ack')!.address
  const told = await bySsh(`${machine.user}@${machine.address ?? leased}`, look, key, signal)
  const [hostname = '', fullName = '', machineId = '', sshHostKey = '', size = '', instanceId = '', ...addresses] = told.split('\n')
  const events = await eventsOf(server, on)
  const hops = events.map(({ hop }) => hop)
  return { id: on.id, status: status!, hops: hops.slice(hops.indexOf('performed')), hostname, fullName, machineId, sshHostKey, rootBytes: Number(size), instanceId, addresses }
}

await insideNamespace(run, async () => {
  const recipes = join(directory, 'recipes')
  await mkdir(recipes)
  if (packages.length > 0) await writeUnprovenRecipe(recipes, (recipe) => recipe.replace('  - bootloader:', `  - packages: ${JSON.stringify(packages)}\n$&`))
  await takeOver(earlier, join(directory, 'data'), ['components', 'packages', 'images'])
  const outcome = await withRack({ run, start }, async (rack): Promise<DeployedMachine[]> => {
    const netboot = { interface: rackNetwork.bridge, range: '10.77.0.100-10.77.0.199' }
    const server = await startServer('data', { directory, appliance, listen: serverAddress, netboot, recipes: [recipes] })
    const at = { url: `http://${serverAddress}`, token: await server.token('operator') }
    const key = await createSshKey(directory, run)
    const image = await findImage(rack, at, server.data)
    const deployed = await Promise.all(machines.map((machine) => deploy(machine, { rack, server, at, image, key })))
    server.program.kill('SIGTERM')
    return deployed
  })
  await writeFile(result, JSON.stringify(outcome))
  await rm(directory, { recursive: true })
  return 0
})
