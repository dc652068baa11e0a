import { open } from 'node:fs/promises'

/*
 * Fields of the superblock of ext2, ext3 and ext4 (Documentation/filesystems/ext4/super.rst), which lies at byte 1024: s_mtime, its high byte, and the folder.
 */
const superblock = { offset: 1024, lengthBytes: 1024, mountTime: 0x2c, mountTimeHigh: 0x274 + 2, folder: 0x88, folderBytes: 64 }

/** When and where an ext filesystem was last mounted, for example `, last mounted at /srv on 2026-11-02`; empty when it never was. */
export async function readLastMount(device: string): Promise<string> {
  const handle = await open(device, 'r')
  try {
    const { buffer } = await handle.read(Buffer.alloc(superblock.lengthBytes), 0, superblock.lengthBytes, superblock.offset)
    const seconds = buffer.readUInt32LE(superblock.mountTime) + buffer.readUInt8(superblock.mountTimeHigh) * 2 ** 32
    if (seconds === 0) return ''
    const folder = buffer.toString('latin1', superblock.folder, superblock.folder + superblock.folderBytes).split('\0')[0]!.replaceAll(/[\0-\x1f\x7f-\x9f]/g, '')
    return `, last mounted ${folder === '' ? '' : `at ${folder} `}on ${new Date(seconds * 1000).toISOString().slice(0, 10)}`
  } finally {
    await handle.close()
  }
}
