import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { run } from '../../../appliance/run.ts'
import type { BenchDisk } from './danger-bench.ts'

const mib = 2 ** 20

/** Runs a program with the disk as its last argument. */
export const by =
  (program: string, ...args: string[]) =>
  ({ device }: BenchDisk): Promise<string> =>
    run(program, [...args, device])

/** Puts bytes at these places. */
export const bytesAt =
  (...places: readonly [offsetBytes: number, bytes: Uint8Array | string][]) =>
  async ({ device }: BenchDisk): Promise<void> => {
    const handle = await open(device, 'r+')
    for (const [offset, bytes] of places) await handle.write(Buffer.from(bytes), 0, Buffer.from(bytes).length, offset)
    await handle.close()
  }

/** Random bytes from `fromBytes` on, as a volume that is encrypted without a header. */
export const noise = (fromBytes: number, lengthBytes: number) => bytesAt([fromBytes, randomBytes(lengthBytes)])

export const table = (script: string) => ({ device }: BenchDisk) => run('sfdisk', ['--no-reread', '--quiet', device], { input: script })

/** A GPT with one partition from 1 MiB on, which the kernel is told of, and something in it. */
export const partitioned =
  (fill: (partition: BenchDisk) => Promise<unknown> = async () => {}) =>
  async ({ device, file }: BenchDisk): Promise<void> => {
    await table('label: gpt\n2048,,\n')({ device, file })
    await run('partx', ['--add', device])
    await fill({ device: `${device}p1`, file })
  }

/** A file onto the disk as `dd` does. */
export const written = (make: (path: string, folder: string) => Promise<unknown>) => async (disk: BenchDisk): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-content-'))
  try {
    await mkdir(join(folder, 'files'))
    await writeFile(join(folder, 'files', 'a'), 'a')
    await make(join(folder, 'image'), join(folder, 'files'))
    await bytesAt([0, await readFile(join(folder, 'image'))])(disk)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Mounts the disk once, for a file: the kernel then notes where. */
export async function mountedOnce({ device }: BenchDisk): Promise<void> {
  const unmount = await mounted(device, (folder) => writeFile(join(folder, 'a'), 'a'))
  await unmount()
}

/** Mounts a device; what is returned unmounts it. */
export async function mounted(device: string, use: (folder: string) => Promise<void> = async () => {}): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-mounted-'))
  await run('mount', [device, folder])
  await use(folder)
  return async () => {
    await run('umount', [folder])
    await rm(folder, { recursive: true })
  }
}

export const lvm = (disk: BenchDisk) => run('pvcreate', ['--quiet', '--yes', '--driverloaded', 'n', '--devices', disk.device, disk.device])
export const luks = (type: 'luks1' | 'luks2') => ({ device }: BenchDisk) =>
  run('cryptsetup', ['luksFormat', '--batch-mode', '--type', type, '--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000', device, '-'], { input: 'pass' })
export const drbd = ({ device }: BenchDisk) => run('drbdmeta', ['--force', '0', 'v08', device, 'internal', 'create-md'])

/** Superblock of a member of a Linux RAID, version 1.2 (md(4), linux/raid/md_p.h), at 4096; `mdadm --examine` says whether it is one. */
export async function raidMember(disk: BenchDisk): Promise<void> {
  const block = Buffer.alloc(4096)
  block.writeUInt32LE(0xa92b4efc, 0)
  block.writeUInt32LE(1, 4)
  randomBytes(16).copy(block, 16)
  block.write('nas:0', 32)
  block.writeInt32LE(1, 72)
  block.writeBigUInt64LE(16384n, 80)
  block.writeUInt32LE(2, 92)
  block.writeBigUInt64LE(2048n, 128)
  block.writeBigUInt64LE(16384n, 136)
  block.writeBigUInt64LE(8n, 144)
  block.writeUInt32LE(128, 220)
  const size = 256 + 2 * 128
  let sum = 0
  for (let at = 0; at < size; at += 4) sum += block.readUInt32LE(at)
  block.writeUInt32LE(((sum % 2 ** 32) + Math.floor(sum / 2 ** 32)) >>> 0, 216)
  await bytesAt([4096, block])(disk)
  const told = await run('mdadm', ['--examine', disk.device])
  if (!/Version : 1\.2/.test(told)) throw new Error(`expected a superblock that mdadm knows, got: ${told}`)
}

/** Superblock of version 0.90 at the last whole 64 KiB before the last. */
export async function oldRaidMember(disk: BenchDisk, sizeBytes: number): Promise<void> {
  const block = Buffer.alloc(4096)
  block.writeUInt32LE(0xa92b4efc, 0)
  block.writeUInt32LE(90, 8)
  await bytesAt([Math.floor(sizeBytes / 65536) * 65536 - 65536, block])(disk)
}

/** First half of the labels of a pool `tank` that zfs-fuse 0.7.0 made. */
export async function zfsMember(disk: BenchDisk): Promise<void> {
  await bytesAt([0, zstdDecompressSync(await readFile(join(import.meta.dirname, '../../fixtures/disks/zfs-label.zst')))])(disk)
}

/** Boot sector and metadata block of BitLocker since Windows 7 (libbde, "BitLocker Drive Encryption (BDE) format"). */
export function bitLocker(disk: BenchDisk): Promise<void> {
  const boot = Buffer.alloc(512)
  Buffer.from([0xeb, 0x58, 0x90]).copy(boot)
  boot.write('-FVE-FS-', 3)
  boot.writeUInt16LE(512, 11)
  boot.writeBigUInt64LE(BigInt(mib), 176)
  boot.writeUInt16LE(0xaa55, 510)
  const metadata = Buffer.alloc(512)
  metadata.write('-FVE-FS-', 0)
  metadata.writeUInt16LE(64, 8)
  metadata.writeUInt16LE(2, 10)
  metadata.writeUInt32LE(64, 64)
  metadata.writeUInt32LE(1, 68)
  return bytesAt([0, boot], [mib, metadata])(disk)
}
