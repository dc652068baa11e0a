import { describe, expect, test } from 'vitest'
import type { MachineSpec } from '../../../server/rack/machine-spec.ts'
import { qemuArguments } from '../../../server/rack/qemu-arguments.ts'

const spec: MachineSpec = {
  name: 'm1',
  mac: '52:54:00:77:00:01',
  firmware: 'bios',
  nic: 'virtio-net-pci',
  disks: [{ path: '/run/m1.qcow2', format: 'qcow2', bus: 'virtio', serial: 'm1-disk' }],
  memoryMiB: 1024,
  cpus: 2,
  boot: 'network',
  accelerator: 'tcg,thread=multi',
}
const files = { consolePath: '/run/m1.console', variablesPath: '/run/m1.vars' }
const lines = (change: Partial<MachineSpec> = {}): string[] => qemuArguments({ ...spec, ...change }, files).join(' ').split(/ (?=-[a-z])/)

describe('the machine that QEMU makes', () => {
  test('a BIOS machine that boots from the network first, its disk second', () => {
    expect(lines()).toMatchInlineSnapshot(`
      [
        "-name m1",
        "-nodefaults",
        "-no-user-config",
        "-display none",
        "-accel tcg,thread=multi",
        "-smp 2",
        "-m 1024",
        "-machine q35,graphics=off",
        "-uuid 00000000-0000-8000-8000-525400770001",
        "-smbios type=1,manufacturer=QEMU,product=Ingot rack,serial=m1",
        "-chardev stdio,id=console,signal=off,logfile=/run/m1.console",
        "-serial chardev:console",
        "-device virtio-rng-pci",
        "-netdev tap,id=net0,ifname=m1,script=no,downscript=no",
        "-device virtio-net-pci,netdev=net0,mac=52:54:00:77:00:01,bootindex=1",
        "-drive if=none,id=disk0,format=qcow2,cache=unsafe,discard=unmap,detect-zeroes=unmap,file=/run/m1.qcow2",
        "-device virtio-blk-pci,drive=disk0,serial=m1-disk,bootindex=2",
      ]
    `)
  })

  test('a UEFI machine with Secure Boot that boots from nothing but its disk', () => {
    expect(lines({ firmware: 'uefi', secureBoot: true, boot: 'disk' })).toMatchInlineSnapshot(`
      [
        "-name m1",
        "-nodefaults",
        "-no-user-config",
        "-display none",
        "-accel tcg,thread=multi",
        "-smp 2",
        "-m 1024",
        "-machine q35,graphics=off,smm=on",
        "-global driver=cfi.pflash01,property=secure,value=on",
        "-drive if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.ms.fd",
        "-drive if=pflash,unit=1,format=raw,file=/run/m1.vars",
        "-uuid 00000000-0000-8000-8000-525400770001",
        "-smbios type=1,manufacturer=QEMU,product=Ingot rack,serial=m1",
        "-chardev stdio,id=console,signal=off,logfile=/run/m1.console",
        "-serial chardev:console",
        "-device virtio-rng-pci",
        "-netdev tap,id=net0,ifname=m1,script=no,downscript=no",
        "-device virtio-net-pci,netdev=net0,mac=52:54:00:77:00:01,romfile=",
        "-drive if=none,id=disk0,format=qcow2,cache=unsafe,discard=unmap,detect-zeroes=unmap,file=/run/m1.qcow2",
        "-device virtio-blk-pci,drive=disk0,serial=m1-disk,bootindex=1",
        "-boot strict=on",
      ]
    `)
  })

  test('a network of its own leads nowhere but from ports of this host, which the monitor tells', () => {
    expect(lines({ network: { forward: [22, 80] } })).toEqual(
      expect.arrayContaining(['-netdev user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:0-:22,hostfwd=tcp:127.0.0.1:0-:80', '-chardev socket,id=monitor,fd=3', '-mon chardev=monitor,mode=control', '-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny']),
    )
    expect(lines({ network: { forward: [22] } }).join(' ')).not.toContain('tap')
  })

  test.each([
    ['nvme', '-device nvme,drive=disk0,serial=m1-disk,bootindex=2'],
    ['ahci', '-device ide-hd,bus=ide.0,drive=disk0,serial=m1-disk,bootindex=2'],
    ['scsi', '-device scsi-hd,bus=scsi0.0,drive=disk0,serial=m1-disk,bootindex=2'],
  ] as const)('a disk on %s', (bus, device) => {
    expect(lines({ disks: [{ ...spec.disks[0]!, bus }] })).toContain(device)
  })

  test('OVMF gets the NIC driver that it lacks from the ROM, and uses its own for virtio', () => {
    const nic = (model: MachineSpec['nic']) => lines({ firmware: 'uefi', nic: model }).find((line) => line.startsWith(`-device ${model}`))
    expect(nic('virtio-net-pci')).toContain('romfile=')
    expect(nic('e1000')).not.toContain('romfile=')
  })

  test('the real processor only where KVM runs the guest', () => {
    expect(lines({ accelerator: 'kvm' })).toEqual(expect.arrayContaining(['-accel kvm', '-cpu host']))
    expect(lines().join(' ')).not.toContain('-cpu')
  })

  test('a comma in a path or an OEM string does not end the option', () => {
    expect(lines({ smbiosStrings: ['a=b,c'] })).toContain('-smbios type=11,value=a=b,,c')
    expect(lines({ disks: [{ ...spec.disks[0]!, path: '/a,b' }] }).join(' ')).toContain('file=/a,,b')
  })
})
