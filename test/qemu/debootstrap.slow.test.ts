import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { run, start } from '../../appliance/run.ts'
import type { NewDemoEvent } from '../../server/demo/event.ts'
import { prepareAppliance } from '../../server/demo/prepare-appliance.ts'
import { runInNamespace } from '../../server/rack/namespace.ts'
import type { DebootstrapScene } from './debootstrap/inside.ts'

/* Half an hour where machines are emulated: the base system, its kernel and its initrd are all made on the bare machine. */

const cache = join(import.meta.dirname, '../../.ingot')
const limitMs = 120 * 60_000

test('B22 a bare machine makes its system itself, by debootstrap, into an image that boots by itself with BIOS and under Secure Boot', { timeout: limitMs }, async () => {
  await mkdir(cache, { recursive: true })
  const directory = await mkdtemp(join(cache, 'debootstrap-'))
  const signal = AbortSignal.timeout(limitMs)
  try {
    const appliance = join(cache, 'appliance')
    await prepareAppliance({ directory: appliance, offline: false, run, log: pino({ level: 'silent' }), onProgress: () => {}, signal })
    const result = join(directory, 'events.json')
    const scene: DebootstrapScene = { directory, appliance, recipes: join(import.meta.dirname, '../fixtures/recipes'), result }
    const entry = join(import.meta.dirname, 'debootstrap/inside.ts')
    expect(await runInNamespace({ entry, args: [JSON.stringify(scene)], outside: true, signal, start })).toBe(0)
    const events = JSON.parse(await readFile(result, 'utf8')) as NewDemoEvent[]
    const steps = events.flatMap((each) => (each.kind === 'machine' && each.event.hop === 'step' ? [each.event.progress.step] : []))
    expect([...new Set(steps)]).toEqual(expect.arrayContaining(['partition', 'install-debootstrap', 'install-bootloader', 'image']))
    // They boot side by side, numbered as they begin.
    const proven = events.flatMap((each) => (each.kind === 'proven' ? [each.name.replace(/-\d$/, '')] : []))
    expect(proven.toSorted()).toEqual(['bios', 'uefi'])
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
