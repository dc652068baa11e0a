import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import si from 'systeminformation'
import type { Inventory } from '../../server/api/machine.ts'
import type { Run } from '../run.ts'
import { readDisks } from '../disks/read-disks.ts'

/** EFI variable `SecureBoot` (UEFI 2.10, 3.3): four bytes of attributes, then 1 when the firmware checked what it started. */
async function readSecureBoot(): Promise<boolean> {
  try {
    return (await readFile('/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c'))[4] === 1
  } catch {
    return false
  }
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
