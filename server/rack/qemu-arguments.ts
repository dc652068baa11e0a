import { machineId, type DiskSpec, type MachineSpec } from './machine-spec.ts'

export interface MachineFiles {
  /** Where everything that the machine writes to its serial console is kept. */
  consolePath: string
  /** UEFI variables of this machine, a copy of `uefiFiles(spec).variables`. */
  variablesPath: string
}

/** The file descriptor of QEMU's monitor: the first beyond standard error. */
const monitorDescriptor = 3

const ovmf = '/usr/share/OVMF'

/** OVMF as Debian's package `ovmf` has it; the `.ms` pair has Microsoft's keys enrolled. */
export const uefiFiles = ({ secureBoot }: Pick<MachineSpec, 'secureBoot'>): { code: string; variables: string } => {
  const keys = secureBoot === true ? '.ms' : ''
  return { code: `${ovmf}/OVMF_CODE_4M${keys}.fd`, variables: `${ovmf}/OVMF_VARS_4M${keys}.fd` }
}

/** The arguments of `qemu-system-x86_64` for one machine. */
export function qemuArguments(spec: MachineSpec, files: MachineFiles): string[] {
  return [
    ...['-name', spec.name, '-nodefaults', '-no-user-config', '-display', 'none'],
    ...['-accel', spec.accelerator, ...(spec.accelerator === 'kvm' ? ['-cpu', 'host'] : [])],
    ...['-smp', String(spec.cpus), '-m', String(spec.memoryMiB)],
    ...firmwareArguments(spec, files),
    ...['-uuid', uuidOf(spec.mac), '-smbios', `type=1,manufacturer=QEMU,product=Ingot rack,serial=${spec.name}`],
    ...(spec.smbiosStrings ?? []).flatMap((value) => ['-smbios', `type=11,value=${escapeOption(value)}`]),
    ...['-chardev', `stdio,id=console,signal=off,logfile=${escapeOption(files.consolePath)}`, '-serial', 'chardev:console'],
    // Firmware and kernel wait for randomness when a machine has no source of it (EDK2's PXE since 2024).
    ...['-device', 'virtio-rng-pci'],
    ...nicArguments(spec),
    ...spec.disks.flatMap((disk, index) => diskArguments(disk, index, spec)),
    ...(spec.boot === 'disk' ? ['-boot', 'strict=on'] : []),
  ]
}

function firmwareArguments(spec: MachineSpec, files: MachineFiles): string[] {
  // Without graphics SeaBIOS, and iPXE by way of it, talk on the serial console (SeaBIOS, docs/Runtime_config.md, etc/sercon-port).
  if (spec.firmware === 'bios') return ['-machine', 'q35,graphics=off']
  const { code } = uefiFiles(spec)
  return [
    ...['-machine', spec.secureBoot === true ? 'q35,graphics=off,smm=on' : 'q35,graphics=off'],
    ...(spec.secureBoot === true ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
    ...['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${code}`],
    ...['-drive', `if=pflash,unit=1,format=raw,file=${escapeOption(files.variablesPath)}`],
    // Nothing in the rack answers DHCPv6, and OVMF asks for 100 s before it goes on to the disk of a machine that the network sends there.
    ...(spec.boot === 'network' ? ['-fw_cfg', 'name=opt/org.tianocore/IPv6PXESupport,string=n'] : []),
  ]
}

function nicArguments(spec: MachineSpec): string[] {
  const device = [spec.nic, 'netdev=net0', `mac=${spec.mac}`]
  if (spec.boot === 'network') device.push('bootindex=1')
  // QEMU's NIC ROMs are iPXE. A BIOS has no network boot but by them; OVMF has its own for virtio, and for the others needs the driver in the ROM.
  if (spec.boot === 'disk' || (spec.firmware === 'uefi' && spec.nic === 'virtio-net-pci')) device.push('romfile=')
  return [...networkArguments(spec), '-device', device.join(',')]
}

function networkArguments({ name, network }: MachineSpec): string[] {
  if (network === undefined) return ['-netdev', `tap,id=net0,ifname=${name},script=no,downscript=no`]
  // Port 0 is one that is free; the monitor tells which. `restrict` leaves the forwarded ports alone (qemu(1)).
  const forwards = network.forward.map((port) => `hostfwd=tcp:127.0.0.1:0-:${port}`)
  return [
    ...['-netdev', ['user', 'id=net0', 'restrict=on', ...forwards].join(',')],
    ...['-chardev', `socket,id=monitor,fd=${monitorDescriptor}`, '-mon', 'chardev=monitor,mode=control'],
    // What stands on its disk may come from anywhere: should the guest get out, it starts no program and gains no rights (qemu(1)).
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
  ]
}

function diskArguments(disk: DiskSpec, index: number, spec: MachineSpec): string[] {
  const id = `disk${index}`
  // `unsafe`: what a crash of this host may lose is a machine that lasts minutes. Discarded and zeroed blocks take no room.
  const drive = `if=none,id=${id},format=${disk.format},cache=unsafe,discard=unmap,detect-zeroes=unmap,file=${escapeOption(disk.path)}`
  const common = `drive=${id},serial=${escapeOption(disk.serial)},bootindex=${index + (spec.boot === 'network' ? 2 : 1)}`
  const devices = {
    virtio: ['-device', `virtio-blk-pci,${common}`],
    nvme: ['-device', `nvme,${common}`],
    // The AHCI controller of the q35 machine has six ports, ide.0 to ide.5.
    ahci: ['-device', `ide-hd,bus=ide.${index},${common}`],
    scsi: ['-device', `virtio-scsi-pci,id=scsi${index}`, '-device', `scsi-hd,bus=scsi${index}.0,${common}`],
  }
  return ['-drive', drive, ...devices[disk.bus]]
}

/** A comma ends an option's value, two stand for one (qemu(1)). */
const escapeOption = (value: string): string => value.replaceAll(',', ',,')

/** A SMBIOS UUID that is the machine's own and the same at each run: RFC 9562 version 8, the MAC in its last 48 bits. */
const uuidOf = (mac: string): string => `00000000-0000-8000-8000-${machineId(mac).replaceAll('-', '')}`
