import { expect, test } from 'vitest'
import type { KernelModule } from '../../../appliance/os/kernel-module.ts'
import { renderModuleIndex } from '../../../appliance/os/render-module-index.ts'
import { closureOf, selectModules } from '../../../appliance/os/select-modules.ts'

const module = (path: string, fields: Partial<KernelModule> = {}): KernelModule => ({
  name: path.slice(path.lastIndexOf('/') + 1, -'.ko'.length).replaceAll('-', '_'),
  path: `kernel/${path}`,
  depends: [],
  aliases: [],
  softDepends: [],
  firmware: [],
  ...fields,
})
const crc = module('lib/crc.ko', { aliases: ['crypto-crc', 'crc32c'] })
const phy = module('net/phy/libphy.ko', { depends: ['crc'] })
const bus = module('bus/bus.ko')
const card = module('net/card.ko', { depends: ['libphy', 'bus', 'crc'], aliases: ['pci:v1d2*'] })
const relic = module('net/relic.ko', { depends: ['bus'] })
const all = [relic, card, phy, crc, bus]

const paths = (modules: readonly KernelModule[]): string[] => modules.map(({ path }) => path)

test('a module comes with all it needs, sorted by path', () => {
  expect(paths(selectModules(all, { include: ['net/card.ko'], exclude: [] }))).toEqual(['kernel/bus/bus.ko', 'kernel/lib/crc.ko', 'kernel/net/card.ko', 'kernel/net/phy/libphy.ko'])
})

test('a directory stands for all below it but what is excluded', () => {
  expect(paths(selectModules(all, { include: ['net/'], exclude: ['net/relic.ko', 'net/phy/'] }))).toEqual(paths(selectModules(all, { include: ['net/card.ko'], exclude: [] })))
})

test('a soft dependency may be a module, an alias or something built in', () => {
  const wishing = module('fs/fs.ko', { softDepends: ['crc32c', 'bus', 'builtin-thing'] })
  expect(paths(selectModules([...all, wishing], { include: ['fs/'], exclude: [] }))).toEqual(['kernel/bus/bus.ko', 'kernel/fs/fs.ko', 'kernel/lib/crc.ko'])
})

test('an entry that fits no module is an error that names it', () => {
  expect(() => selectModules(all, { include: ['net/', 'net/gone.ko'], exclude: ['old/'] })).toThrow('no kernel module fits net/gone.ko, old/')
})

test('a needed module that is not there is an error that names both', () => {
  expect(() => selectModules([card, bus, crc], { include: ['net/'], exclude: [] })).toThrow('kernel module card needs libphy')
})

test('the index lists what a module needs so that the last is loaded first', () => {
  const needed = closureOf(card, all).map(({ name }) => name)
  expect(needed.indexOf('crc')).toBeGreaterThan(needed.indexOf('libphy'))
  expect(renderModuleIndex([card, phy, crc, bus], ({ name, path }) => (name === 'bus' ? `/tools/${path}` : path))).toEqual({
    'modules.dep': [
      'kernel/net/card.ko: kernel/net/phy/libphy.ko /tools/kernel/bus/bus.ko kernel/lib/crc.ko',
      'kernel/net/phy/libphy.ko: kernel/lib/crc.ko',
      'kernel/lib/crc.ko:',
      '/tools/kernel/bus/bus.ko:',
      '',
    ].join('\n'),
    'modules.alias': 'alias pci:v1d2* card\nalias crypto-crc crc\nalias crc32c crc\n',
  })
})
