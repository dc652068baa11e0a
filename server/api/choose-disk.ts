import type { DiskRule } from '../../images/plan.ts'
import { renderSize } from '../../images/size.ts'
import type { Disk } from './machine.ts'

/** A disk that was looked at, and why it is not the one that is written; without a reason it is. */
export interface JudgedDisk {
  disk: Disk
  reasons: string[]
}

/** The one disk that may be written, or why none may; in either case every disk seen. */
export type DiskChoice = ({ disk: Disk } | { refusal: string }) & { seen: JudgedDisk[] }

/**
 * Chooses the disk of a job (F1); the worker asks this right before it writes, and the server for what would happen. Exactly one disk must fit every field of
 * the rule, nothing may use it, and it must be empty unless its serial number is among `scratchSerials`. A disk that holds data or is in use and fits counts
 * as fitting: a rule that leaves it to chance which of two disks is written is refused.
 */
export function chooseDisk(disks: readonly Disk[], rule: DiskRule, scratchSerials: readonly string[]): DiskChoice {
  if (disks.length === 0) return { refusal: 'expected one disk to write, got a machine without disks', seen: [] }
  const judged = disks.map((disk) => ({ disk, reasons: reasonsAgainst(disk, rule, disks) }))
  const fitting = judged.filter(({ reasons }) => reasons.length === 0).map(({ disk }) => disk)
  const [only, ...others] = fitting
  if (only === undefined) return { refusal: `no disk fits: ${renderSeen(judged)}`, seen: judged }
  if (others.length > 0) {
    const seen = judged.map(({ disk, reasons }) => ({ disk, reasons: reasons.length > 0 ? reasons : [`is one of ${fitting.length} that fit`] }))
    return { refusal: `${fitting.length} disks fit where one must; name it by serial, wwn, model or size: ${renderSeen(judged)}`, seen }
  }
  const kept = reasonsToKeep(only, disks, scratchSerials)
  if (kept.length === 0) return { disk: only, seen: judged }
  const seen = judged.map((each) => (each.disk === only ? { disk: only, reasons: kept } : each))
  const beside = judged.filter(({ disk }) => disk !== only)
  return { refusal: `${renderDisk(only)} ${kept.join(', ')}${beside.length === 0 ? '' : `; not meant by the rule: ${renderSeen(beside)}`}`, seen }
}

/** Why the one disk that fits is not overwritten as it is now; nothing when it may be. */
export function reasonsToKeep(disk: Disk, all: readonly Disk[], scratchSerials: readonly string[]): string[] {
  const { serial, contents, unfit = [] } = disk
  if (contents.length === 0) return unfit
  const holds = `holds data (${contents.join(', ')})`
  const twin = all.find((other) => other.device !== disk.device && other.serial === serial)
  if (serial === '') return [...unfit, `${holds} and has no serial number by which it could be marked as scratch`]
  // A mark on it would mean the other one just as well.
  if (twin !== undefined) return [...unfit, `${holds} and has the serial number ${serial} that ${twin.device} has too: a mark as scratch would not tell which is meant`]
  return scratchSerials.includes(serial) ? unfit : [...unfit, `${holds} and its serial number ${serial} is not marked as scratch for this machine`]
}

/** For example `/dev/sda (20 GiB, sata, model QEMU HARDDISK, serial QM00001)`. */
export function renderDisk({ device, sizeBytes, transport, model, serial }: Disk): string {
  const known = [transport, model === '' ? '' : `model ${model}`, serial === '' ? 'no serial' : `serial ${serial}`]
  return `${device} (${[renderSize(sizeBytes), ...known].filter((text) => text !== '').join(', ')})`
}

const renderSeen = (seen: readonly JudgedDisk[]): string =>
  seen.map(({ disk, reasons }) => `${renderDisk(disk)}: ${reasons.length === 0 ? 'fits' : reasons.join(', ')}`).join('; ')

/** How a disk is attached that may be picked though nobody named it: inside the machine, and nobody else's. */
const ownTransports = ['nvme', 'sata', 'sas', 'scsi', 'virtio', 'xen', 'mmc']

function reasonsAgainst(disk: Disk, rule: DiskRule, all: readonly Disk[]): string[] {
  const named = (rule.serial !== undefined && rule.serial === disk.serial) || (rule.wwn !== undefined && rule.wwn === disk.wwn)
  const reasons: (string | false | undefined)[] = [
    ...reasonsUnwritable(disk),
    rule.minSizeBytes !== undefined && disk.sizeBytes < rule.minSizeBytes && `is smaller than ${renderSize(rule.minSizeBytes)}`,
    rule.maxSizeBytes !== undefined && disk.sizeBytes > rule.maxSizeBytes && `is larger than ${renderSize(rule.maxSizeBytes)}`,
    rule.serial !== undefined && disk.serial !== rule.serial && `serial is not ${rule.serial}`,
    rule.wwn !== undefined && disk.wwn !== rule.wwn && `wwn is ${disk.wwn === '' ? 'unknown' : disk.wwn}, not ${rule.wwn}`,
    rule.model !== undefined && disk.model !== rule.model && `model is not ${rule.model}`,
    rule.transport !== undefined && disk.transport !== rule.transport && `transport is ${disk.transport === '' ? 'unknown' : disk.transport}, not ${rule.transport}`,
    // Two nodes of one World Wide Name are one disk, also when it is named.
    isMultipath(disk, all) && 'is one of several paths to a disk',
    ...(named ? [] : reasonsForeign(disk)),
  ]
  return reasons.filter((reason) => typeof reason === 'string')
}

const reasonsUnwritable = ({ readOnly, sizeBytes }: Disk): string[] => [...(readOnly ? ['is read-only'] : []), ...(sizeBytes === 0 ? ['has no medium in it'] : [])]

function reasonsForeign(disk: Disk): string[] {
  const transport = foreignTransport(disk)
  return [...(disk.removable ? ['is removable'] : []), ...(transport === false ? [] : [transport])]
}

/** Why no rule picks a disk by itself, seen without the others of its machine, for example `['is attached by USB']`. */
export const reasonsNeverPicked = (disk: Disk): string[] => [...reasonsUnwritable(disk), ...((disk.paths ?? 1) > 1 ? ['is one of several paths to a disk'] : []), ...reasonsForeign(disk)]

function foreignTransport({ transport }: Disk): string | false {
  if (ownTransports.includes(transport)) return false
  if (transport === '') return 'is attached in a way that is not known'
  return transport === 'usb' ? 'is attached by USB' : `is attached by ${transport}`
}

/**
 * Whether a device is a path to a disk that has others: a device mapper node, an NVMe disk with several controllers, two devices of one World Wide Name, or
 * of one serial number, model and size where no World Wide Name tells them apart.
 */
const isMultipath = (disk: Disk, all: readonly Disk[]): boolean =>
  /^\/dev\/(dm-|mapper\/)/.test(disk.device) || (disk.paths ?? 1) > 1 || all.some((other) => other !== disk && isSameDisk(disk, other))

function isSameDisk(one: Disk, other: Disk): boolean {
  if (one.wwn !== '' && other.wwn !== '') return one.wwn === other.wwn
  return one.serial !== '' && one.serial === other.serial && one.model === other.model && one.sizeBytes === other.sizeBytes
}
