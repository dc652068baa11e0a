import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { consoleEntries, readCpioEntries, renderCpio } from '../../../appliance/os/cpio.ts'
import { run } from '../../../appliance/run.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-cpio-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function makeTree(root: string, mtime: Date): Promise<void> {
  await mkdir(join(root, 'bin'), { recursive: true })
  await writeFile(join(root, 'init'), '#!/bin/sh\n')
  await chmod(join(root, 'init'), 0o755)
  await writeFile(join(root, 'bin/busybox'), 'x'.repeat(5))
  await chmod(join(root, 'bin/busybox'), 0o644)
  await symlink('busybox', join(root, 'bin/sh'))
  await utimes(join(root, 'init'), mtime, mtime)
}

test('cpio lists every entry with mode, owner and size', async () => {
  await makeTree(join(directory, 'tree'), new Date())
  const archive = join(directory, 'archive')
  await writeFile(archive, renderCpio([...consoleEntries, ...(await readCpioEntries(join(directory, 'tree')))]))
  const listed = await run('cpio', ['--list', '--verbose', '--numeric-uid-gid', '--file', archive], { env: { TZ: 'UTC' } })
  const words = listed.split('\n').map((line) => line.split(/\s+/).filter((word) => !/^(Jan|1|1970)$/.test(word)).join(' '))
  expect(words).toEqual([
    'drwxr-xr-x 0 0 0 dev',
    'crw------- 0 0 5, dev/console',
    'drwxr-xr-x 0 0 0 bin',
    '-rw-r--r-- 0 0 5 bin/busybox',
    'lrwxrwxrwx 0 0 7 bin/sh -> busybox',
    '-rwxr-xr-x 0 0 10 init',
  ])
})

test('trees made at different times give the same bytes', async () => {
  await makeTree(join(directory, 'a'), new Date(0))
  await makeTree(join(directory, 'b'), new Date())
  const [a, b] = [renderCpio(await readCpioEntries(join(directory, 'a'))), renderCpio(await readCpioEntries(join(directory, 'b')))]
  expect(a.equals(b)).toBe(true)
})
