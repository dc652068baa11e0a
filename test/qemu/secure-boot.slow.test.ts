import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { run, start } from '../../appliance/run.ts'
import { prepareAppliance } from '../../server/demo/prepare-appliance.ts'
import { runInNamespace } from '../../server/rack/namespace.ts'
import type { SecureBootOutcome, SecureBootScene } from './secure-boot/inside.ts'

const cache = join(import.meta.dirname, '../../.ingot')
const limitMs = 40 * 60_000

test('a machine with Secure Boot on boots by PXE with no key enrolled, says so, performs its job, and the image boots under Secure Boot', { timeout: limitMs }, async () => {
  await mkdir(cache, { recursive: true })
  const directory = await mkdtemp(join(cache, 'secure-boot-'))
  const signal = AbortSignal.timeout(limitMs)
  try {
    const appliance = join(cache, 'appliance')
    await prepareAppliance({ directory: appliance, offline: false, run, log: pino({ level: 'silent' }), onProgress: () => {}, signal })
    const result = `${directory}.json`
    const scene: SecureBootScene = { directory, appliance, earlier: join(cache, 'demo/data'), recipe: join(import.meta.dirname, '../../images/recipes/debian-12'), result }
    const entry = join(import.meta.dirname, 'secure-boot/inside.ts')
    expect(await runInNamespace({ entry, args: [JSON.stringify(scene)], outside: true, signal, start })).toBe(0)
    const { job, events } = JSON.parse(await readFile(result, 'utf8')) as SecureBootOutcome
    await rm(result)

    const fetched = events.flatMap((event) => (event.hop === 'tftp' ? [event.file] : []))
    expect(fetched).toEqual(['shimx64.efi', 'grubx64.efi', 'grub/grub.cfg', 'vmlinuz', 'initramfs.img'])
    // From the running kernel, which firmware and shim told.
    expect(events.find(({ hop }) => hop === 'worker')).toMatchObject({ inventory: { firmware: 'uefi', secureBoot: true } })
    expect(job).toMatchObject({ end: 'performed', status: { state: 'performed' }, attempts: [] })
    const proven = events.flatMap((event) => (event.hop === 'proof' && event.event.kind === 'proven' ? [event.boot] : []))
    expect(proven).toEqual([{ firmware: 'uefi', secureBoot: true }])
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
