import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildAppliance, type BuildOptions } from '../../../appliance/os/build-appliance.ts'
import type { Appliance } from '../../../appliance/os/load-appliance.ts'
import { run } from '../../../appliance/run.ts'

/** Kept from run to run, so that packages are downloaded once. */
const directory = resolve(import.meta.dirname, '../../../.ingot/appliance-test')
const buildLimitMs = 900_000
let workerDirectory: string
let options: BuildOptions

beforeAll(async () => {
  workerDirectory = await mkdtemp(join(tmpdir(), 'ingot-worker-'))
  const workerEntry = join(workerDirectory, 'main.ts')
  await writeFile(workerEntry, "console.log('worker of the test', __INGOT_VERSION__)\n")
  options = {
    directory,
    mirror: 'http://deb.debian.org/debian',
    securityMirror: 'http://deb.debian.org/debian-security',
    run,
    log: pino({ enabled: false }),
    progress: () => {},
    signal: new AbortController().signal,
    workerEntry,
  }
})
afterAll(() => rm(workerDirectory, { recursive: true, force: true }))

const digests = ({ manifest }: Appliance): string[] => Object.values(manifest.outputs).map(({ digest }) => digest)

describe('an appliance', () => {
  test('has the same bytes when it is built again, is reused when nothing changed, and is as small as it should be to claim', { timeout: 2 * buildLimitMs }, async () => {
    const first = await buildAppliance({ ...options, force: true })
    const second = await buildAppliance({ ...options, force: true })
    expect(digests(second)).toEqual(digests(first))
    expect(second.manifest).toEqual(first.manifest)
    expect(await buildAppliance(options)).toMatchObject({ reused: true, directory: second.directory })
    const { kernel, initramfs, stage2 } = second.manifest.outputs
    expect(kernel.sizeBytes + initramfs.sizeBytes + stage2.sizeBytes).toBeLessThanOrEqual(42_000_000)
    // Debian's signature stays on every module (Secure Boot): it ends with this string.
    const listed = await run('sh', ['-c', `unsquashfs -cat ${second.inventoryPath} lib/modules/${second.manifest.kernelRelease}/kernel/drivers/scsi/sd_mod.ko | tail -c 28`])
    expect(listed).toBe('~Module signature appended~')
  })
})
