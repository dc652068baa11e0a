import { chmod, readFile, writeFile } from 'node:fs/promises'
import type { Run } from '../run.ts'
import { readExportedObject } from './elf.ts'
import { isNeededIcuEntry, trimIcuData } from './icu-data.ts'
import { trimTypeStripper } from './type-stripper.ts'

/** Writes Node without its symbol table, without the ICU data of other languages and without its TypeScript: 150 MB become 116 MB, and 33 MB in a squashfs 24 MB. */
export async function writeSmallNode({ run, node, file, icuVersion, signal }: SmallNodeOptions): Promise<void> {
  await run('strip', ['-o', file, node], { signal })
  const bytes = await readFile(file)
  trimIcuData(readExportedObject(bytes, `icudt${icuVersion}_dat`), isNeededIcuEntry)
  trimTypeStripper(bytes)
  await writeFile(file, bytes)
  await chmod(file, 0o755)
}

export interface SmallNodeOptions {
  run: Run
  /** The Node to start from; it is not changed. */
  node: string
  /** Where to write. */
  file: string
  /** Major version of its ICU, `process.versions.icu` of that Node, for example `78`. */
  icuVersion: string
  signal: AbortSignal
}
