import type { DiskRule } from '../../images/plan.ts'
import { renderSize } from '../../images/size.ts'
import type { Disk } from '../../server/api/machine.ts'

/** The one disk that may be written, or why none may: every disk seen, and what is against it. */
export type DiskChoice = { disk: Disk } | { refusal: string }

/**
 * Chooses the disk of a job (F1). Exactly one disk must fit every field of the rule, and be empty unless its serial number is among
 * `scratchSerials`. A disk that holds data and fits counts as fitting: a rule that leaves it to chance which of two disks is written is refused.
 */
export function chooseDisk(disks: readonly Disk[], rule: DiskRule, scratchSerials: readonly string[]): DiskChoice {
  if (disks.length === 0) return { refusal: 'expected one disk to write, got a machine without disks' }
  const judged = disks.map((disk) => ({ disk, against: reasonsAgainst(disk, rule, disks) }))
  const fitting = judged.filter(({ against }) => against.length === 0).map(({ disk }) => disk)
  const [only, ...others] = fitting
  if (only === undefined) {
    return { refusal: `no disk fits: ${judged.map(({ disk, against }) => `${renderDisk(disk)}: ${against.join(', ')}`).join('; ')}` }
  }
  if (others.length > 0) {
    const seen = judged.map(({ disk, against }) => `${renderDisk(disk)}: ${against.length === 0 ? 'fits' : against.join(', ')}`)
    return { refusal: `${fitting.length} disks fit where one must; name it by serial, wwn, model or size: ${seen.join('; ')}` }
  }
  const data = reasonsNotToOverwrite(only, scratchSerials)
  return data === undefined ? { disk: only } : { refusal: `${renderDisk(only)} ${data}` }
}

/** Why a disk must not be overwritten as it is now, undefined when it may be. */
export function reasonsNotToOverwrite({ serial, contents }: Disk, scratchSerials: readonly string[]): string | undefined {
  if (contents.length === 0 || (serial !== '' && scratchSerials.includes(serial))) return undefined
  const remedy = serial === '' ? 'and has no serial number by which it could be marked as scratch' : `and its serial number ${serial} is not marked as scratch for this machine`
  return `holds data (${contents.join(', ')}) ${remedy}`
}

/** For example `/dev/sda (20 GiB, sata, model QEMU HARDDISK, serial QM00001)`. */
export function renderDisk({ device, sizeBytes, transport, model, serial }: Disk): string {
  const known = [transport, model === '' ? '' : `model ${model}`, serial === '' ? 'no serial' : `serial ${serial}`]
  return `${device} (${[renderSize(sizeBytes), ...known].filter((text) => text !== '').join(', ')})`
}

function reasonsAgainst(disk: Disk, rule: DiskRule, all: readonly Disk[]): string[] {
  const named = (rule.serial !== undefined && rule.serial === disk.serial) || (rule.wwn !== undefined && rule.wwn === disk.wwn)
  const reasons: (string | false | undefined)[] = [
    disk.readOnly && 'is read-only',
    rule.minSizeBytes !== undefined && disk.sizeBytes < rule.minSizeBytes && `is smaller than ${renderSize(rule.minSizeBytes)}`,
    rule.maxSizeBytes !== undefined && disk.sizeBytes > rule.maxSizeBytes && `is larger than ${renderSize(rule.maxSizeBytes)}`,
    rule.serial !== undefined && disk.serial !== rule.serial && `serial is not ${rule.serial}`,
    rule.wwn !== undefined && disk.wwn !== rule.wwn && `wwn is ${disk.wwn === '' ? 'unknown' : disk.wwn}, not ${rule.wwn}`,
    rule.model !== undefined && disk.model !== rule.model && `model is not ${rule.model}`,
    rule.transport !== undefined && disk.transport !== rule.transport && `transport is ${disk.transport === '' ? 'unknown' : disk.transport}, not ${rule.transport}`,
    ...(named ? [] : [disk.removable && 'is removable', disk.transport === 'usb' && 'is attached by USB', isMultipath(disk, all) && 'is one of several paths to a disk']),
  ]
  return reasons.filter((reason) => typeof reason === 'string')
}

/** Two devices with one World Wide Name are two paths to one disk, and a device mapper node stands over such paths. */
const isMultipath = (disk: Disk, all: readonly Disk[]) =>
  /^\/dev\/(dm-|mapper\/)/.test(disk.device) || (disk.wwn !== '' && all.some((other) => other.device !== disk.device && other.wwn === disk.wwn))
