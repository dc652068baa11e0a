import { expect, test } from 'vitest'
import type { DeployedMachine, DeployScene } from './deploy/inside.ts'
import { runScene } from './run-scene.ts'

const limitMs = 40 * 60_000
const gib = 1024 ** 3

test('F6, B24 an image is deployed to a BIOS and a UEFI machine with larger disks: each boots its own disk by way of the network, grown, and is itself', { timeout: limitMs }, async () => {
  const deployed: DeployScene['machines'] = [
    { name: 'bios', mac: '52:54:00:77:03:01', firmware: 'bios', bus: 'virtio', diskBytes: 6 * gib, deploy: { hostname: 'web-1' }, user: 'root' },
    {
      ...{ name: 'uefi', mac: '52:54:00:77:03:02', firmware: 'uefi', bus: 'nvme', diskBytes: 8 * gib, user: 'ops', address: '10.77.0.50' },
      deploy: { hostname: 'web-2.example', users: [{ name: 'ops', groups: ['adm'] }], network: { addresses: ['10.77.0.50/24'], gateway: '10.77.0.1' } },
    },
  ]
  const machines = await runScene<DeployScene, DeployedMachine[]>('deploy', { machines: deployed }, limitMs)

  const [bios, uefi] = machines
  expect(bios).toMatchObject({ instanceId: 'none', status: { state: 'performed', worker: bios!.id }, hostname: 'web-1', fullName: 'web-1' })
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
})
