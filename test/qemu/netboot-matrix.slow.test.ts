import { describe, expect, it } from 'vitest'
import { nicModels } from '../../server/rack/machine-spec.ts'
import type { Disturbance } from '../helpers/bad-cable.ts'
import { noNamespaces } from '../helpers/namespace.ts'
import { boot } from './boot-hops.ts'
import type { BootInput } from './netboot-scenario.ts'

/*
 * Which firmware boots by which network card in which mode: every cell comes to its boot script and fetches the kernel. OVMF itself drives virtio alone;
 * with other cards it boots by the iPXE in their ROM, which Secure Boot refuses, since nobody has signed that.
 */

type Cell = [path: BootInput['path'], nic: NonNullable<BootInput['nic']>, mode: 'dhcp' | 'proxy']
const modes = ['dhcp', 'proxy'] as const
const ownStack: BootInput['path'][] = ['undionly', 'uefi', 'uefi-http']
const cells: Cell[] = modes.flatMap((mode) => [
  ...(['rom', 'uefi-rom'] as const).flatMap((path) => nicModels.map((nic): Cell => [path, nic, mode])),
  ...ownStack.map((path): Cell => [path, 'virtio-net-pci', mode]),
])

const isBooted = (hops: readonly string[]): boolean => hops.includes('boot-script') && hops.some((hop) => hop === 'kernel' || hop === 'tftp vmlinuz')

describe.skipIf(noNamespaces)('an empty machine comes to its kernel', { timeout: 260_000 }, () => {
  it.each<Cell>([...cells, ['secure-boot', 'virtio-net-pci', 'dhcp']])('%s, %s, mode %s', async (path, nic, mode) => {
    const hops = await boot(path, mode, { nic })
    expect(path === 'secure-boot' ? hops.at(-1) === 'tftp vmlinuz' : isBooted(hops), hops.join(', ')).toBe(true)
  })

  // 5 % each way: of a question and its answer one in ten is lost.
  it.each<[what: string, cable: Disturbance, path: BootInput['path']]>([
    ['loses 5 %', { lost: 0.05 }, 'rom'],
    ['loses 5 %', { lost: 0.05 }, 'undionly'],
    ['loses 5 %', { lost: 0.05 }, 'uefi'],
    ['doubles 10 %', { doubled: 0.1 }, 'undionly'],
    ['takes 20 to 60 ms', { delayMs: [20, 60] }, 'rom'],
    ['does a little of all', { lost: 0.02, doubled: 0.05, delayMs: [1, 15] }, 'undionly'],
  ])('over a cable that %s: %#', async (_, cable, path) => {
    const hops = await boot(path, 'dhcp', { cable })
    expect(isBooted(hops), hops.join(', ')).toBe(true)
  })
})
