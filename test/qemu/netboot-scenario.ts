import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { start } from '../../appliance/run.ts'
import { layBadCable, type Disturbance } from '../helpers/bad-cable.ts'
import { startDnsmasq } from '../helpers/dnsmasq.ts'
import type { TestNetwork } from '../helpers/test-network.ts'
import { secureBootArchitectures } from '../../boot/firmware.ts'
import { renderWorkerConfig } from '../../boot/grub-config.ts'
import type { NetbootOptions } from '../../server/netboot/netboot.ts'
import type { NewMachineEvent } from '../../server/event-log.ts'
import type { NicModel } from '../../server/rack/machine-spec.ts'
import { serve } from '../server/netboot/serve.ts'

export interface BootInput {
  /**
   * `rom`: SeaBIOS and the iPXE in QEMU's NIC ROM. `undionly`: an iPXE started by hand chains our undionly.kpxe by TFTP, since those ROMs speak HTTP
   * and need none. `uefi` and `uefi-http`: OVMF's own network stack. `uefi-rom`: OVMF with the iPXE
   * in the NIC's UEFI ROM. `secure-boot`: OVMF's own with Microsoft's keys and Secure Boot on.
   */
  path: 'rom' | 'undionly' | 'uefi' | 'uefi-http' | 'uefi-rom' | 'secure-boot'
  /** Default `virtio-net-pci`. */
  nic?: NicModel
  /** What its cable does to frames; default nothing. */
  cable?: Disturbance
  /** `proxy`: dnsmasq gives the addresses, and we only say what to boot. */
  mode?: 'dhcp' | 'proxy'
  routerAdvertisements: boolean
  /** How often the machine asks before it is admitted; default it is from the beginning. */
  asksBeforeAdmission?: number
}
export interface BootResult {
  /** Of a bad cable. */
  frames?: { passed: number; lost: number }
  hops: (NewMachineEvent & { sincePowerOnMs: number })[]
}

const mac = '52:54:00:12:34:56'
const machine = '52-54-00-12-34-56'

/** Powers a machine on and waits until it has fetched its boot script and tried twice to boot the kernel, which is none. */
export async function scenario(network: TestNetwork, { path, nic = 'virtio-net-pci', cable, mode = 'dhcp', routerAdvertisements, asksBeforeAdmission = 0 }: BootInput): Promise<BootResult> {
  if (mode === 'proxy') await startDnsmasq(await network.addClient('dnsmasq', '02:00:00:00:00:fe'), network)
  const secureBoot = path === 'secure-boot'
  const served = await serve(network, { routerAdvertisements, asksBeforeAdmission, ...(secureBoot ? secureBootOptions(network) : {}), ...(mode === 'proxy' ? { dhcp: undefined } : {}) })
  await network.addTap('tap0')
  const badCable = cable && (await layBadCable('tap0', cable))
  const powerOnMs = served.nowMs()
  const console = join(network.directory, 'console')
  const qemu = await start('qemu-system-x86_64', [
    ...['-machine', secureBoot ? 'q35,smm=on' : 'q35', '-accel', 'tcg,thread=multi', '-m', '512', '-display', 'none', '-nodefaults'],
    ...['-chardev', `file,id=console,path=${console}`, '-serial', 'chardev:console'],
    ...['-netdev', badCable?.netdev ?? 'tap,id=net0,ifname=tap0,script=no,downscript=no', '-device', 'virtio-rng-pci'],
    ...(await firmwareArguments(path, nic, network.directory)),
  ])
  let kernels = 0
  const isKernel = (event: NewMachineEvent) => event.hop === 'kernel' || (event.hop === 'tftp' && event.file === 'vmlinuz')
  await served.waitFor((event) => event.machine === machine && isKernel(event) && ++kernels === 2)
  qemu.kill('SIGKILL')
  await qemu.ended
  badCable?.hub.kill('SIGKILL')
  return { ...(badCable === undefined ? {} : { frames: badCable.frames }), hops: served.events.map(({ atMs, ...event }) => ({ ...event, sincePowerOnMs: atMs - powerOnMs })) }
}

/** What is served to UEFI with Secure Boot; the kernel is none, so that GRUB comes to its retry. */
function secureBootOptions({ directory }: TestNetwork): Pick<NetbootOptions, 'policies' | 'secureBoot'> {
  return {
    policies: secureBootArchitectures.map((architecture) => ({ architecture, secureBoot: true })),
    secureBoot: {
      kernelPath: join(directory, 'vmlinuz'),
      initramfsPath: join(directory, 'initramfs.img'),
      grubConfig: async () => renderWorkerConfig({ httpUrl: 'http://10.77.0.1:8080', stage2Digest: `sha256:${'0'.repeat(64)}`, ticket: 'ticket' }),
    },
  }
}

async function firmwareArguments(path: BootInput['path'], model: NicModel, directory: string): Promise<string[]> {
  const nic = (more: string) => ['-device', `${model},netdev=net0,mac=${mac}${more}`]
  switch (path) {
    case 'rom':
      return nic(',bootindex=1')
    case 'undionly': {
      const script = join(directory, 'chain.ipxe')
      await writeFile(script, '#!ipxe\ndhcp\nchain tftp://10.77.0.1/undionly.kpxe\n')
      return [...nic(',romfile='), '-kernel', '/boot/ipxe.lkrn', '-initrd', script]
    }
    case 'secure-boot':
    case 'uefi':
    case 'uefi-rom':
    case 'uefi-http': {
      const variables = join(directory, 'OVMF_VARS.fd')
      const keys = path === 'secure-boot' ? '.ms' : ''
      await copyFile(`/usr/share/OVMF/OVMF_VARS_4M${keys}.fd`, variables)
      const isHttp = path === 'uefi-http'
      const noPxe = ['IPv4PXESupport', 'IPv6PXESupport'].flatMap((name) => ['-fw_cfg', `name=opt/org.tianocore/${name},string=n`])
      return [
        ...[
          '-drive',
          `if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M${keys}.fd`,
          '-drive',
          `if=pflash,format=raw,file=${variables}`,
        ],
        ...(path === 'secure-boot' ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
        ...nic(path === 'uefi-rom' ? ',bootindex=1' : ',romfile=,bootindex=1'),
        ...(isHttp ? noPxe : []),
      ]
    }
  }
}
