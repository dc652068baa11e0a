import { randomBytes } from 'node:crypto'
import { appendFile, link, mkdir, open, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { run } from '../../../appliance/run.ts'

/** Something that happens to a filesystem; `file` and `other` are numbers of files. */
export type FileOperation =
  | { kind: 'write' | 'append' | 'truncate' | 'punch'; file: number; kib: number }
  | { kind: 'remove' | 'tree' | 'sync'; file: number }
  | { kind: 'rename' | 'link' | 'symlink'; file: number; other: number }

const file = fc.nat(30)
export const fileOperations = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('write', 'append', 'truncate', 'punch'), file, kib: fc.integer({ min: 0, max: 3000 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('remove', 'tree', 'sync'), file }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('rename', 'link', 'symlink'), file, other: file }) },
  ) as fc.Arbitrary<FileOperation>,
  { minLength: 20, maxLength: 80 },
)

const codesOf = new Set(['ENOENT', 'EEXIST', 'EISDIR', 'ENOTDIR', 'EINVAL', 'EPERM', 'ELOOP'])

/** Does things to a mounted filesystem, one after the other; what cannot be done to a file as it is just then is left out. */
export async function performOperations(root: string, operations: readonly FileOperation[]): Promise<void> {
  const path = (number: number) => join(root, number % 3 === 0 ? `directory-${number}/file` : `file-${number}`)
  for (const operation of operations) {
    const at = path(operation.file)
    await mkdir(join(at, '..'), { recursive: true })
    try {
      await perform(operation, at, path)
    } catch (error) {
      if (!codesOf.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
}

async function perform(operation: FileOperation, at: string, path: (number: number) => string): Promise<void> {
  switch (operation.kind) {
    case 'write':
      return writeFile(at, randomBytes(operation.kib * 1024 + 7))
    case 'append':
      return appendFile(at, randomBytes(operation.kib * 100))
    case 'truncate':
      return truncate(at, operation.kib * 512)
    case 'punch': {
      await (await open(at, 'r')).close()
      await run('fallocate', ['--punch-hole', '--offset', '8192', '--length', String((operation.kib + 1) * 256), at])
      return
    }
    case 'remove':
      return rm(at)
    case 'tree':
      for (let index = 0; index < 40; index++) {
        await mkdir(`${at}.tree/a-long-name-of-a-directory-${index}`, { recursive: true })
        await writeFile(`${at}.tree/a-long-name-of-a-directory-${index}/small`, `${index}`.repeat(index * 20))
      }
      return
    case 'sync':
      await run('sync', ['--file-system', root(at)])
      return
    case 'rename':
      return rename(at, path(operation.other))
    case 'link':
      return link(at, path(operation.other))
    case 'symlink':
      return symlink(at, path(operation.other))
  }
}

const root = (at: string): string => join(at, '..')
