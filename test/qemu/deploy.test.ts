import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { run, start } from '../../appliance/run.ts'
import { prepareAppliance } from '../../server/demo/prepare-appliance.ts'
import { runInNamespace } from '../../server/rack/namespace.ts'
import type { DeployedMachine, DeployScene } from './deploy/inside.ts'

const cache = join(import.meta.dirname, '../../.ingot')
const limitMs = 40 * 60_000
const gib = 1024 ** 3

test('F6, B24 an image is deployed to a BIOS and a UEFI machine with larger disks: each boots its own disk by way of the network, grown, and is itself', { timeout: limitMs }, async () => {
  await mkdir(cache, { recursive: true })
  const directory = await mkdtemp(join(cache, 'deploy-'))
  const signal = AbortSignal.timeout(limitMs)
  try {
    const appliance = join(cache, 'appliance')
    await prepareAppliance({ directory: appliance, offline: false, run, log: pino({ level: 'silent' }), onProgress: () => {}, signal })
    const result = `${directory}.json`
    const scene: DeployScene = {
      directory,
      appliance,
      earlier: join(cache, 'demo/data'),
      machines: [
        { name: 'bios', mac: '52:54:00:77:03:01', firmware: 'bios', bus: 'virtio', diskBytes: 6 * gib, deploy: { hostname: 'web-1' }, user: 'root' },
        {
          ...{ name: 'uefi', mac: '52:54:00:77:03:02', firmware: 'uefi', bus: 'nvme', diskBytes: 8 * gib, user: 'ops', address: '10.77.0.50' },
          deploy: { hostname: 'web-2.example', users: [{ name: 'ops', groups: ['adm'] }], network: { addresses: ['10.77.0.50/24'], gateway: '10.77.0.1' } },
        },
      ],
      result,
    }
    const entry = join(import.meta.dirname, 'deploy/inside.ts')
    expect(await runInNamespace({ entry, args: [JSON.stringify(scene)], outside: true, signal, start })).toBe(0)
    const machines = JSON.parse(await readFile(result, 'utf8')) as DeployedMachine[]
    await rm(result)

    const [bios, uefi] = machines
    expect(bios).toMatchObject({ status: { state: 'performed', worker: bios!.id }, hostname: 'web-1', fullName: 'web-1' })
    expect(uefi).toMatchObject({ status: { state: 'performed', worker: uefi!.id }, hostname: 'web-2', fullName: 'web-2.example', addresses: ['10.77.0.50/24'] })
    // 5 % and less of a disk is partition table, other partitions and what ext4 itself needs.
    expect(bios!.rootBytes).toBeGreaterThan(5.5 * gib)
    expect(uefi!.rootBytes).toBeGreaterThan(7.5 * gib)
    for (const { hops, machineId, sshHostKey } of machines) {
      // From the network it came, and was sent to its disk.
      expect(hops).toContain('local-disk')
      expect(hops).not.toContain('kernel')
      expect(machineId).toMatch(/^[0-9a-f]{32}$/)
      expect(sshHostKey).toMatch(/^AAAA/)
    }
    expect(new Set(machines.map(({ machineId }) => machineId)).size).toBe(2)
    expect(new Set(machines.map(({ sshHostKey }) => sshHostKey)).size).toBe(2)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
