import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { run, start } from '../../appliance/run.ts'
import { prepareAppliance } from '../../server/demo/prepare-appliance.ts'
import { runInNamespace } from '../../server/rack/namespace.ts'
import type { BuildCost, LayersScene } from './layers/inside.ts'

const cache = join(import.meta.dirname, '../../.ingot')
const limitMs = 20 * 60_000

test('F9 another page in a recipe moves at most a tenth of its bytes, and an image is the base of another; both boot and serve', { timeout: limitMs }, async () => {
  await mkdir(cache, { recursive: true })
  const directory = await mkdtemp(join(cache, 'layers-'))
  const signal = AbortSignal.timeout(limitMs)
  try {
    const appliance = join(cache, 'appliance')
    await prepareAppliance({ directory: appliance, offline: false, run, log: pino({ level: 'silent' }), onProgress: () => {}, signal })
    const result = `${directory}.json`
    const scene: LayersScene = { directory, appliance, earlier: join(cache, 'demo/data'), recipe: join(import.meta.dirname, '../../images/recipes/debian-12-nginx'), result }
    const entry = join(import.meta.dirname, 'layers/inside.ts')
    expect(await runInNamespace({ entry, args: [JSON.stringify(scene)], outside: true, signal, start })).toBe(0)
    const { first, changed, derived } = JSON.parse(await readFile(result, 'utf8')) as Record<'first' | 'changed' | 'derived', BuildCost>
    await rm(result)
    for (const { job } of [first, changed, derived]) expect(job).toMatchObject({ end: 'performed', attempts: [] })
    expect(first.steps).toEqual(expect.arrayContaining(['install-rootfs', 'install-packages', 'snapshot', 'configure-file']))
    for (const { steps } of [changed, derived]) for (const step of ['install-rootfs', 'install-packages', 'install-bootloader']) expect(steps).not.toContain(step)
    for (const { fromClaim } of [changed, derived]) expect(fromClaim.bytes).toBeLessThan(first.fromClaim.bytes / 10)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
