import { basename } from 'node:path'
import { run } from '../../appliance/run.ts'
import { readDisk } from '../../appliance/disks/read-disks.ts'
import type { Disk } from '../../server/api/machine.ts'

/** What a loop device cannot tell of itself: it stands for a disk of a machine. */
export const loopIdentity = { model: '', serial: 'S1', wwn: '', transport: 'virtio', removable: false } satisfies Partial<Disk>

/** A loop device as the worker would see a disk with these bytes and this identity now: what it holds and who uses it is read as from any other disk. */
export const loopDiskNow = async (device: string, fields: Partial<Disk> = {}): Promise<Disk> => ({ ...(await readDisk(basename(device), { run })), ...loopIdentity, ...fields })
