import { expect, test } from 'vitest'
import type { DeployedMachine, DeployScene } from './deploy/inside.ts'
import { runScene } from './run-scene.ts'

const limitMs = 40 * 60_000
const gib = 1024 ** 3

test('B24 an image with cloud-init is deployed: it gives the machine its name, user, key and address at the first boot', { timeout: limitMs }, async () => {
  const to: DeployScene['machines'] = [
    {
      ...{ name: 'cloud', mac: '52:54:00:77:06:01', firmware: 'uefi', bus: 'virtio', diskBytes: 6 * gib, user: 'ops', address: '10.77.0.60' },
      deploy: { hostname: 'cloud-1.example', users: [{ name: 'ops', groups: ['adm'], sudo: true }], network: { addresses: ['10.77.0.60/24'], gateway: '10.77.0.1' } },
    },
  ]
  const [machine] = await runScene<DeployScene, DeployedMachine[]>('deploy', { packages: ['cloud-init', 'sudo'], machines: to }, limitMs)
  expect(machine).toMatchObject({ hostname: 'cloud-1', fullName: 'cloud-1.example', instanceId: `deploy-cloud-${machine!.id}`, addresses: ['10.77.0.60/24'] })
  expect(machine!.rootBytes).toBeGreaterThan(5.5 * gib)
})
