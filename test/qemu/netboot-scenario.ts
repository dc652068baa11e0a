import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { start } from '../../appliance/run.ts'
import type { TestNetwork } from '../helpers/test-network.ts'
import type { NewMachineEvent } from '../../server/event-log.ts'
import { serve } from '../server/netboot/serve.ts'

export interface BootInput {
  /**
   * `rom`: SeaBIOS and the iPXE in QEMU's NIC ROM. `undionly`: an iPXE started by hand chains our undionly.kpxe by TFTP, since those ROMs speak HTTP
   * and need none. `uefi` and `uefi-http`: OVMF's own network stack.
   */
  path: 'rom' | 'undionly' | 'uefi' | 'uefi-http'
  routerAdvertisements: boolean
}
export interface BootResult {
  hops: (NewMachineEvent & { sincePowerOnMs: number })[]
}

const mac = '52:54:00:12:34:56'
const machine = '52-54-00-12-34-56'

/** Powers a machine on and waits until it has fetched its boot script and tried twice to boot the kernel, which is none. */
export async function scenario(network: TestNetwork, { path, routerAdvertisements }: BootInput): Promise<BootResult> {
  const served = await serve(network, { routerAdvertisements })
  await network.addTap('tap0')
  const powerOnMs = served.nowMs()
  const console = join(network.directory, 'console')
  const qemu = await start('qemu-system-x86_64', [
    ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-m', '512', '-display', 'none', '-nodefaults'],
    ...['-chardev', `file,id=console,path=${console}`, '-serial', 'chardev:console'],
    ...['-netdev', 'tap,id=net0,ifname=tap0,script=no,downscript=no', '-device', 'virtio-rng-pci'],
    ...(await firmwareArguments(path, network.directory)),
  ])
  let kernels = 0
  await served.waitFor((event) => event.machine === machine && event.hop === 'kernel' && ++kernels === 2)
  qemu.kill('SIGKILL')
  await qemu.ended
  return { hops: served.events.map(({ atMs, ...event }) => ({ ...event, sincePowerOnMs: atMs - powerOnMs })) }
}

async function firmwareArguments(path: BootInput['path'], directory: string): Promise<string[]> {
  const nic = (more: string) => ['-device', `virtio-net-pci,netdev=net0,mac=${mac}${more}`]
  switch (path) {
    case 'rom':
      return nic(',bootindex=1')
    case 'undionly': {
      const script = join(directory, 'chain.ipxe')
      await writeFile(script, '#!ipxe\ndhcp\nchain tftp://10.77.0.1/undionly.kpxe\n')
      return [...nic(',romfile='), '-kernel', '/boot/ipxe.lkrn', '-initrd', script]
    }
    case 'uefi':
    case 'uefi-http': {
      const variables = join(directory, 'OVMF_VARS.fd')
      await copyFile('/usr/share/OVMF/OVMF_VARS_4M.fd', variables)
      const isHttp = path === 'uefi-http'
      const noPxe = ['IPv4PXESupport', 'IPv6PXESupport'].flatMap((name) => ['-fw_cfg', `name=opt/org.tianocore/${name},string=n`])
      return [
        ...[
          '-drive',
          'if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd',
          '-drive',
          `if=pflash,format=raw,file=${variables}`,
        ],
        ...nic(',romfile=,bootindex=1'),
        ...(isHttp ? noPxe : []),
      ]
    }
  }
}
