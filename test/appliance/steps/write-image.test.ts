import { readFile } from 'node:fs/promises'
import { hash } from 'node:crypto'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import type { StepContext } from '../../../appliance/steps/context.ts'
import { writeImage } from '../../../appliance/steps/write-image.ts'
import type { StepOf } from '../../../images/plan.ts'
import type { Disk } from '../../../server/api/machine.ts'
import { makeGptDisk, mib } from '../capture/gpt-disk.ts'
import { stepContext } from '../capture/step-context.ts'
import { loopDiskNow } from '../../helpers/loop-disk-now.ts'
import { makeLoopDisk, type LoopDisk } from '../restore/loop-disk.ts'
import { captureToMemory, type MemoryImage } from '../restore/memory-image.ts'

/*
 * Needs root. What is refused before a single byte is written: the disk is full of old data, and must be as it was.
 */

let image: MemoryImage
let digest: string

beforeAll(async () => {
  const disk = await makeGptDisk()
  try {
    image = await captureToMemory(disk)
    digest = `sha256:${hash('sha256', Buffer.from(JSON.stringify(image.manifest)))}`
  } finally {
    await disk.remove()
  }
}, 60_000)

const sizeBytes = 200 * mib
async function prepare({ disk = {}, inventory = {}, step = {}, ...overrides }: { disk?: Partial<Disk>; inventory?: Partial<StepContext['inventory']>; step?: Partial<StepOf<'write-image'>> } & Partial<Pick<StepContext, 'scratchSerials' | 'server' | 'plan'>> = {}) {
  const loop = await makeLoopDisk(sizeBytes)
  onTestFinished(loop.remove)
  const own = await loopDiskNow(loop.device, disk)
  const base = stepContext({ root: '/nowhere', target: { device: loop.device, layoutSizeBytes: 0, partitions: [] } }, '')
  const server: StepContext['server'] = {
    ...base.server,
    readManifest: async () => new Uint8Array(Buffer.from(JSON.stringify(image.manifest))),
    readBlob: (_image, blob) => image.readBlob(blob),
  }
  const context: StepContext = {
    ...base,
    disk: undefined,
    inventory: { ...base.inventory, firmware: 'bios', architecture: 'amd64', disks: [own], ...inventory },
    scratchSerials: ['S1'],
    readDisks: async () => [await loopDiskNow(loop.device)],
    server,
    ...overrides,
  }
  const whole: StepOf<'write-image'> = { kind: 'write-image', image: 'web', version: 'web-1', digest, disk: { minSizeBytes: image.config.diskSizeBytes }, sectorBytes: 512, ...step }
  return { loop, context, write: () => writeImage(whole, context) }
}

const hashOf = async ({ device }: LoopDisk) => hash('sha256', await readFile(device))

async function expectUntouched({ loop, write }: Awaited<ReturnType<typeof prepare>>, message: string | RegExp): Promise<void> {
  const before = await hashOf(loop)
  await expect(write()).rejects.toThrow(message)
  expect(await hashOf(loop)).toBe(before)
}

test('an image is written to a disk marked as scratch, whose partitions are then known', { timeout: 60_000 }, async () => {
  const { loop, context, write } = await prepare()
  await write()
  expect(context.written).toMatchObject({
    device: loop.device,
    partitions: [{ device: `${loop.device}p1` }, { device: `${loop.device}p2`, filesystem: 'vfat', mountPoint: '/boot/efi' }, { device: `${loop.device}p3`, filesystem: 'ext4', mountPoint: '/' }],
  })
  await run('e2fsck', ['-f', '-n', `${loop.device}p3`])
})

test('F1 a disk that holds data and is not marked is not touched', async () => {
  await expectUntouched(await prepare({ scratchSerials: [] }), /holds data \(data of no known kind, at its start\) and its serial number S1 is not marked as scratch for this machine/)
})

test('F1 a disk on which data appeared since the inventory is not touched', async () => {
  const prepared = await prepare({ disk: { contents: [] }, scratchSerials: [] })
  await run('mke2fs', ['-q', '-F', prepared.loop.device])
  await expectUntouched(prepared, /holds data \(ext[24]/)
})

test('a disk that is too small, or has other sectors, is not touched', { timeout: 60_000 }, async () => {
  await expectUntouched(await prepare({ disk: { sizeBytes: 100 * mib } }), /no disk fits: .* is smaller than 160 MiB/)
  await expectUntouched(await prepare({ disk: { logicalSectorBytes: 4096 } }), /has sectors of 4096 bytes: expected sectors of 512 bytes, for which web:web-1 was made/)
})

test('a machine of another architecture, or started by firmware that the image does not boot with, is not touched', async () => {
  await expectUntouched(await prepare({ inventory: { architecture: 'arm64' } }), 'web:web-1 is for amd64: expected a machine of that architecture, got arm64')
  const plan = stepContext({ root: '', target: { device: '', layoutSizeBytes: 0, partitions: [] } }, '').plan
  await expectUntouched(await prepare({ plan: { ...plan, firmware: ['uefi'] } }), 'web:web-1 boots with uefi only: expected a machine started by that, got bios')
})

test('an image whose manifest is another than the one that was meant leaves the disk alone', async () => {
  await expectUntouched(await prepare({ step: { digest: `sha256:${'0'.repeat(64)}` } }), `manifest of the image: expected the digest sha256:${'0'.repeat(64)}, got ${digest}`)
})
