import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import si from 'systeminformation'
import type { Inventory } from '../../server/api/machine.ts'
import type { Run } from '../run.ts'
import { readDisks } from '../disks/read-disks.ts'

/** Where the kernel shows what it was started with (its Documentation/arch/x86/zero-page.rst): at 0x1ec what its EFI stub learnt of the firmware and shim, 3 for "enabled". */
const bootParameters = { path: '/sys/kernel/boot_params/data', secureBootAt: 0x1ec, enabled: 3 }

/** Not by the EFI variable: its filesystem asks the firmware for every variable when it is mounted, for which nobody knows how long to wait. */
async function readSecureBoot(): Promise<boolean> {
  const { path, secureBootAt, enabled } = bootParameters
  return (await readFile(path))[secureBootAt] === enabled
}

const dashed = (mac: string): string => mac.toLowerCase().replaceAll(':', '-')

/** Looks this machine over. `bootMac` is the NIC that booted; without it the first wired one with a MAC gives the machine its id. */
export async function takeInventory({ run, bootMac, workerVersion }: { run: Run; bootMac: string | undefined; workerVersion: string }): Promise<Inventory> {
  const [system, cpu, memory, interfaces, disks, secureBoot] = await Promise.all([
    si.system(),
    si.cpu(),
    si.mem(),
    si.networkInterfaces(),
    readDisks({ run }),
    readSecureBoot(),
  ])
  const nics = [interfaces].flat().filter((nic) => !nic.internal && nic.mac !== '')
  const id = bootMac ?? (nics[0] && dashed(nics[0].mac))
  if (id === undefined) throw new Error('this machine has no network interface with a MAC address')
  return {
    id,
    uuid: system.uuid,
    firmware: existsSync('/sys/firmware/efi') ? 'uefi' : 'bios',
    secureBoot,
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    manufacturer: system.manufacturer,
    model: system.model,
    serial: system.serial,
    cpu: { model: `${cpu.manufacturer} ${cpu.brand}`.trim(), cores: Math.max(1, cpu.cores) },
    memoryBytes: memory.total,
    disks,
    nics: nics.map((nic) => ({ name: nic.iface, mac: nic.mac, driver: '', speedMbps: Math.round(nic.speed ?? -1) })),
    workerVersion,
  }
}
