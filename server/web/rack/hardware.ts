import { reasonsNeverPicked } from '../../api/choose-disk.ts'
import type { Disk } from '../../api/machine.ts'
import type { MachineCard } from '../../api/overview.ts'
import { binaryBytes } from '../text.ts'

/** `Dell PowerEdge R640 · 16 cores · 32 GiB`, in short `PowerEdge R640 · 32 GiB`; empty before the machine has told. */
export function hardwareLine({ hardware }: MachineCard, isShort = false): string {
  if (hardware === undefined) return ''
  const { manufacturer, model, cpu, memoryBytes } = hardware
  if (isShort) return [model, binaryBytes(memoryBytes)].filter(Boolean).join(' · ')
  const name = model.startsWith(manufacturer) ? model : [manufacturer, model].filter(Boolean).join(' ')
  return [name, cpu.cores === 1 ? '1 core' : `${cpu.cores} cores`, binaryBytes(memoryBytes)].filter(Boolean).join(' · ')
}

/** What a job may do with a disk (F1): `empty` and `marked` ones may be written, one that `holds` data may not, and others are never picked. */
export type DiskStanding = 'empty' | 'marked' | 'holds data' | 'never picked'

export function standingOf(disk: Disk, { scratchSerials }: Pick<MachineCard, 'scratchSerials'>): DiskStanding {
  if (reasonsKept(disk).length > 0) return 'never picked'
  if (disk.serial !== '' && scratchSerials.includes(disk.serial)) return 'marked'
  return disk.contents.length === 0 ? 'empty' : 'holds data'
}

/** Why a disk is not written, marked or not: what it is, or that something uses it now. */
export const reasonsKept = (disk: Disk): string[] => [...reasonsNeverPicked(disk), ...(disk.unfit ?? [])]

/** `nvme0n1 480 GB`. */
export const diskName = ({ device }: Disk): string => device.replace(/^\/dev\//, '')

/** Where a disk of a machine is marked, and where the mark is taken off. */
export const scratchPath = (machine: string, serial: string): string => `/machines/${encodeURIComponent(machine)}/scratch/${encodeURIComponent(serial)}`
