import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { constants, zstdCompressSync } from 'node:zlib'
import { consoleEntries, readCpioEntries, renderCpio } from './cpio.ts'
import type { Output } from './manifest.ts'
import { walkTree } from './walk-tree.ts'

/**
 * Packs the tree of stage 1 as an initramfs: a cpio in zstd, at the highest level whose window (8 MiB) costs little memory while the kernel
 * unpacks it.
 */
export async function writeInitramfs(root: string, file: string): Promise<void> {
  const entries = (await readCpioEntries(root)).filter(({ path }) => path !== 'dev')
  const archive = renderCpio([...consoleEntries, ...entries])
  await writeFile(file, zstdCompressSync(archive, { params: { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_checksumFlag]: 1 } }))
}

/** Describes an output file for the manifest; `contents` as of the tree it was made of. */
export async function describeOutput(directory: string, file: string, contents: Output['contents']): Promise<Output> {
  const path = join(directory, file)
  const [sha256, sha512] = [createHash('sha256'), createHash('sha512')]
  for await (const chunk of createReadStream(path)) for (const hash of [sha256, sha512]) hash.update(chunk as Buffer)
  const rawSizeBytes = contents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return { file, sizeBytes: (await stat(path)).size, rawSizeBytes, digest: `sha256:${sha256.digest('hex')}`, sha512: sha512.digest('hex'), contents }
}

/** The files of a tree with their sizes; links are left out. */
export async function listContents(root: string): Promise<Output['contents']> {
  const contents: Output['contents'] = []
  for await (const { path, stats } of walkTree(root)) if (stats.isFile()) contents.push({ path, sizeBytes: stats.size })
  return contents
}

/** Copies the kernel as Debian signed it. */
export async function writeKernel(packagesRoot: string, release: string, file: string): Promise<void> {
  await copyFile(join(packagesRoot, 'boot', `vmlinuz-${release}`), file)
}
