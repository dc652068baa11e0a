import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { BuildCost, LayersScene } from './layers/inside.ts'
import { runScene } from './run-scene.ts'

const limitMs = 40 * 60_000

test('F9 another page in a recipe moves at most a tenth of its bytes, and an image is the base of another; both boot and serve', { timeout: limitMs }, async () => {
  const recipe = join(import.meta.dirname, '../../images/recipes/debian-12-nginx')
  const { first, changed, derived } = await runScene<LayersScene, Record<'first' | 'changed' | 'derived', BuildCost>>('layers', { recipe }, limitMs)
  const describe = ({ fromClaim: { seconds, bytes } }: BuildCost) => `${seconds.toFixed(1)} s, ${(bytes / 1e6).toFixed(1)} MB`
  console.info(`from claim to received image: first build ${describe(first)}, another page ${describe(changed)}, on top of it ${describe(derived)}`)
  for (const { job } of [first, changed, derived]) expect(job).toMatchObject({ end: 'performed', attempts: [] })
  expect(first.steps).toEqual(expect.arrayContaining(['install-rootfs', 'install-packages', 'snapshot']))
  for (const { steps } of [changed, derived]) for (const step of ['install-rootfs', 'install-packages', 'install-bootloader']) expect(steps).not.toContain(step)
  for (const { fromClaim } of [changed, derived]) expect(fromClaim.bytes).toBeLessThan(first.fromClaim.bytes / 10)
})
