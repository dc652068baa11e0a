import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { run, start, type StartedProgram } from '../../../appliance/run.ts'
import type { JobDetails } from '../../../server/api/history.ts'
import { createDisk } from '../../../server/rack/disk-file.ts'
import { insideNamespace } from '../../../server/rack/inside-namespace.ts'
import { rackNetwork } from '../../../server/rack/network.ts'
import { withRack } from '../../../server/rack/rack.ts'
import { openTokens } from '../../../server/tokens.ts'
import { addJob, takeOver, waitForJob } from '../first-computer.ts'
import type { Scene } from '../run-scene.ts'

/*
 * What runs inside the namespaces of the rack: systemd in a container of this very system (systemd-nspawn(1)), whose only service is a first computer by
 * the unit that Ingot writes, and a bare machine. Its only argument is a `Scene`; what came of it is written to `result`.
 */

export interface SystemdUnitResult {
  job: JobDetails
  unit: string
  /** Properties of the unit at the end (systemctl(1), "show"). */
  state: Record<string, string>
}

const { directory, appliance, earlier, result } = JSON.parse(process.argv[2] ?? '{}') as Scene
const project = join(import.meta.dirname, '../../..')
const ingot = join(project, 'server/ingot')
const properties = ['NRestarts', 'Result', 'ActiveState']
const listen = `${rackNetwork.address}:8080`

/** This system as another one sees it: what is written to it goes into memory, this project excepted. */
async function layRoot(): Promise<string> {
  const memory = join(directory, 'memory')
  await mkdir(memory)
  await run('mount', ['-t', 'tmpfs', 'memory', memory])
  const [root, upper, work] = ['root', 'upper', 'work'].map((name) => join(memory, name)) as [string, string, string]
  for (const path of [root, upper, work]) await mkdir(path)
  await run('mount', ['-t', 'overlay', '-o', `lowerdir=/,upperdir=${upper},workdir=${work}`, 'overlay', root])
  return root
}

/** systemd as process 1 of a container; it starts the unit and what that wants, none of the services that this system happens to have. */
async function boot(root: string): Promise<StartedProgram> {
  // The rack's own /sys has no control groups.
  await run('mount', ['-t', 'cgroup2', 'cgroup2', '/sys/fs/cgroup'])
  const network = ['--network-namespace-path=/proc/self/ns/net', '--resolv-conf=off']
  return start('systemd-nspawn', [`--directory=${root}`, '--boot', '--register=no', '--keep-unit', '--console=pipe', '--quiet', `--bind=${project}`, '--bind=/dev/net/tun', ...network, '--', '--unit=ingot.service'], {
    env: { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1', SYSTEMD_NSPAWN_LOCK: '0' },
  })
}

/** What a command says that runs in the container, whose process 1 is the only systemd here. */
async function inContainer(...command: string[]): Promise<string> {
  const pid = await run('pgrep', ['--exact', '--oldest', 'systemd'])
  return run('nsenter', ['--target', pid.trim(), '--all', '--', ...command])
}

await insideNamespace(run, async () => {
  const data = join(directory, 'data')
  await mkdir(data)
  await takeOver(earlier, data, ['packages'])
  const configPath = join(directory, 'ingot.yaml')
  await writeFile(configPath, stringify({ data, appliance, admit: 'all', listen, netboot: { interface: rackNetwork.bridge, range: '10.77.0.100-10.77.0.199' } }))
  const outcome = await withRack({ run, start }, async (rack): Promise<SystemdUnitResult> => {
    const unit = await run(ingot, ['serve', '--config', configPath, '--systemd-unit'])
    const root = await layRoot()
    await writeFile(join(root, 'etc/systemd/system/ingot.service'), unit)
    await writeFile(join(root, 'etc/resolv.conf'), await readFile('/etc/resolv.conf'))
    const container = await boot(root)
    const ended = container.ended.then(({ lastLines }): never => {
      throw new Error(`the container ended: ${lastLines.join('\n')}`)
    })
    const isUp = () => fetch(`http://${listen}/readyz`).then(({ ok }) => ok, () => false)
    while (!(await Promise.race([isUp(), ended]))) {
      await sleep(500)
      const restarts = await inContainer('systemctl', 'show', 'ingot.service', '--property=NRestarts', '--value').catch(() => '0')
      if (Number(restarts) > 0) throw new Error(`the unit does not start: ${await inContainer('journalctl', '--unit=ingot.service', '--no-pager', '--lines=20')}`)
    }
    const at = { url: `http://${listen}`, token: await openTokens(data).create({ role: 'operator', name: 'test' }) }
    await addJob(at, { id: 'unit-1', recipe: 'debian-12' })
    const disk = { path: join(directory, 'disk.qcow2'), format: 'qcow2', bus: 'virtio', serial: 'unit-disk' } as const
    await createDisk(disk.path, 5 * 1024 ** 3, run)
    const spec = { firmware: 'bios', nic: 'virtio-net-pci', disks: [disk], memoryMiB: 1024, cpus: 2, boot: 'network' } as const
    const machine = await rack.startMachine({ name: 'unit', mac: '52:54:00:77:08:01', ...spec }, directory)
    const job = await waitForJob(at, 'unit-1', ({ end }) => end !== undefined, machine)
    await inContainer('systemctl', 'stop', 'ingot.service')
    const shown = await inContainer('systemctl', 'show', 'ingot.service', ...properties.map((name) => `--property=${name}`))
    container.kill('SIGKILL')
    return { job, unit, state: Object.fromEntries(shown.trim().split('\n').map((line) => line.split('=', 2))) as Record<string, string> }
  })
  await writeFile(result, JSON.stringify(outcome))
  return 0
})
