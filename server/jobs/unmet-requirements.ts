import { reasonsNeverPicked } from '../api/choose-disk.ts'
import type { Disk, Inventory } from '../api/machine.ts'
import type { Job, Requirements } from '../api/job.ts'

/** What is known of a machine: its inventory once it has sent one, and the labels that an operator gave to it. */
export interface KnownMachine {
  id: string
  inventory?: Inventory
  labels?: Readonly<Record<string, string>>
}

const mebibyte = 2 ** 20
const gibibyte = 2 ** 30

/** The disks that a job may be done on: those that stay in the machine and can be written (F1). */
const isFixed = (disk: Disk): boolean => reasonsNeverPicked(disk).length === 0

/**
 * What speaks against a machine taking a job, one line per requirement that does not hold, for example
 * `memoryMiB: expected at least 4096, got 2048`; empty when it may. A machine that has not sent its inventory meets nothing that is judged by it.
 * To whom the job is assigned is not looked at.
 */
export function unmetRequirements({ requires = {} }: Pick<Job, 'requires'>, { id, inventory, labels = {} }: KnownMachine): string[] {
  const unmet: string[] = []
  if (requires.machines !== undefined && !requires.machines.includes(id)) unmet.push(`machines: expected ${requires.machines.join(' or ')}, got ${id}`)
  for (const [label, wanted] of Object.entries(requires.labels ?? {})) {
    const own = Object.hasOwn(labels, label) ? `"${labels[label]}"` : 'none'
    if (own !== `"${wanted}"`) unmet.push(`labels.${label}: expected "${wanted}", got ${own}`)
  }
  return [...unmet, ...unmetByInventory(requires, inventory)]
}

function unmetByInventory({ firmware, architecture, memoryMiB, diskCount, diskGiB }: Requirements, inventory: Inventory | undefined): string[] {
  const asksDisks = diskCount !== undefined || diskGiB !== undefined
  if (firmware === undefined && architecture === undefined && memoryMiB === undefined && !asksDisks) return []
  if (inventory === undefined) return ['inventory: not known yet']
  const unmet: string[] = []
  if (firmware !== undefined && inventory.firmware !== firmware) unmet.push(`firmware: expected ${firmware}, got ${inventory.firmware}`)
  if (architecture !== undefined && inventory.architecture !== architecture) unmet.push(`architecture: expected ${architecture}, got ${inventory.architecture}`)
  const ownMiB = Math.floor(inventory.memoryBytes / mebibyte)
  if (memoryMiB !== undefined && ownMiB < memoryMiB) unmet.push(`memoryMiB: expected at least ${memoryMiB}, got ${ownMiB}`)
  const fixed = inventory.disks.filter(isFixed)
  const fitting = fixed.filter(({ sizeBytes }) => sizeBytes >= (diskGiB ?? 0) * gibibyte)
  if (asksDisks && fitting.length < (diskCount ?? 1)) unmet.push(missingDisks(diskCount ?? 1, diskGiB, fixed))
  return unmet
}

function missingDisks(count: number, sizeGiB: number | undefined, fixed: readonly Disk[]): string {
  const wanted = `at least ${count} fixed ${count === 1 ? 'disk' : 'disks'}`
  const sizes = fixed.map(({ sizeBytes }) => `${Math.floor(sizeBytes / gibibyte)} GiB`).join(', ')
  if (sizeGiB === undefined) return `diskCount: expected ${wanted}, got ${fixed.length}`
  return `diskGiB: expected ${wanted} of at least ${sizeGiB} GiB, got ${sizes === '' ? 'none' : sizes}`
}
