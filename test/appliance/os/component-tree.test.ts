import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { installLibraries, installProgram, libraryDirectory, openComponentTree } from '../../../appliance/os/component-tree.ts'
import { run } from '../../../appliance/run.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-tree-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

test('a program runs with nothing but the libraries that came along', async () => {
  const tree = openComponentTree(directory)
  await installProgram('/', 'usr/bin/lsblk', tree)
  const libraries = await installLibraries('/', tree)
  expect(libraries).toEqual(expect.arrayContaining(['ld-linux-x86-64.so.2', 'libc.so.6', 'libblkid.so.1', 'libsmartcols.so.1']))
  const loader = join(directory, libraryDirectory, 'ld-linux-x86-64.so.2')
  const listed = await run(loader, ['--inhibit-cache', '--library-path', join(directory, libraryDirectory), '--list', join(directory, 'usr/bin/lsblk')])
  const outside = listed.split('\n').filter((line) => line.includes('=>') && !line.includes(`=> ${directory}`))
  expect(outside.filter((line) => !line.includes('ld-linux'))).toEqual([])
})

test('libraries that the system has already do not come along', async () => {
  const tree = openComponentTree(directory)
  await installProgram('/', 'usr/bin/lsblk', tree)
  const all = await installLibraries('/', tree)
  const other = openComponentTree(join(directory, 'other'))
  await installProgram('/', 'usr/bin/lsblk', other)
  expect(await installLibraries('/', other, new Set(all))).toEqual([])
})

test('a link comes with the program it leads to, below usr whatever its place', async () => {
  const packages = join(directory, 'packages')
  await mkdir(join(packages, 'sbin'), { recursive: true })
  await writeFile(join(packages, 'sbin/mke2fs'), '#!/bin/sh\n')
  await symlink('mke2fs', join(packages, 'sbin/mkfs.ext4'))
  await symlink('mke2fs', join(packages, 'sbin/mkfs.ext3'))
  const tree = openComponentTree(join(directory, 'tree'))
  await installProgram(packages, 'sbin/mkfs.ext4', tree)
  await installProgram(packages, 'sbin/mkfs.ext3', tree)
  expect(await readFile(join(tree.root, 'usr/sbin/mkfs.ext4'), 'utf8')).toBe('#!/bin/sh\n')
  expect(await readFile(join(tree.root, 'usr/sbin/mkfs.ext3'), 'utf8')).toBe('#!/bin/sh\n')
})

test('a library that no package holds is an error that names it and the program', async () => {
  const tree = openComponentTree(join(directory, 'tree'))
  await installProgram('/', 'usr/bin/lsblk', tree)
  await expect(installLibraries(join(directory, 'no-packages'), tree)).rejects.toThrow(/usr\/bin\/lsblk needs lib\S+, which no package of the appliance holds/)
})
