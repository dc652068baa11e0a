import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm, stat, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { run } from '../../../appliance/run.ts'
import type { StepContext } from '../../../appliance/steps/context.ts'
import { performStep } from '../../../appliance/steps/executors.ts'
import { takeDisk } from '../../../appliance/steps/take-disk.ts'
import { planLayout } from '../../../images/layout.ts'
import type { DiskRule, Step } from '../../../images/plan.ts'
import { planDisks, type DiskTarget } from '../../../server/api/disk-plan.ts'
import type { Disk } from '../../../server/api/machine.ts'
import { loopDiskNow } from '../../helpers/loop-disk-now.ts'

const mib = 2 ** 20

/** A loop device that stands for a disk, and the file behind it. */
export interface BenchDisk {
  device: string
  file: string
}

export interface DiskSpec {
  sizeMiB?: number
  /** Taken off the end. */
  lessBytes?: number
  sectorBytes?: number
  /** Puts onto it what is to be lost. */
  fill?: (disk: BenchDisk, disks: readonly BenchDisk[]) => Promise<unknown>
  /** What it says of itself. Default: a virtio disk with the serial number S1, S2 and so on. */
  says?: Partial<Disk>
  /** Another way to the disk of this number. */
  pathTo?: number
}

export interface Danger {
  what: string
  disks: DiskSpec[]
  /** Default: any disk of at least 8 MiB. */
  rule?: DiskRule
  /** An image that would be written, in place of partitions. */
  image?: DiskTarget['image']
  marks?: string[]
  /** What comes between the inventory and the job; what it returns takes it back. */
  between?: (disks: readonly BenchDisk[]) => Promise<void | (() => Promise<unknown>)>
  /** The disks as they are when the job begins, of those that the bench has. Default: all of them. */
  now?: (disks: Disk[]) => Disk[]
  /** What the refusal says besides every disk that was seen. */
  refusal: RegExp
}

export const layoutSizeBytes = 8 * mib
const layout = planLayout('danger', layoutSizeBytes, [{ name: 'root', type: 'linux-root', filesystem: 'ext4', mount: '/', size: 'rest' }])
if ('expected' in layout) throw new Error(layout.expected)
const partitions = { kind: 'partition', disk: { minSizeBytes: layoutSizeBytes }, ...layout } as const satisfies Step

/** What came of a job: the refusal, if any, what had been foretold, and whether a byte of any disk changed. */
export interface Outcome {
  refusal: string | undefined
  foretold: string
  changed: string[]
  seen: Disk[]
}

/** Lets a job that writes a disk loose on a machine with these disks, the real step on real block devices. */
export async function faceDanger({ disks: specs, rule = partitions.disk, image, marks = [], between, now = (disks) => disks }: Danger): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-danger-'))
  const disks: BenchDisk[] = []
  const held: FileHandle[] = []
  try {
    for (const spec of specs) {
      const disk = await openDisk(folder, disks, spec)
      held.push(await open(disk.device, 'r'))
      // Detached while it is open, it goes with its last user, even when this process is killed.
      await run('losetup', ['--detach', disk.device])
      disks.push(disk)
    }
    for (const [index, { fill }] of specs.entries()) await fill?.(disks[index]!, disks)
    await Promise.all(held.map((handle) => handle.sync()))
    const read = () => Promise.all(disks.map(({ device }, index) => loopDiskNow(device, { serial: `S${index + 1}`, ...specs[index]!.says })))
    const told = await read()
    const back = await between?.(disks)
    const before = await hashes(disks, held)
    const inventory = { disks: told, firmware: 'bios' as const, architecture: 'amd64' }
    const target: DiskTarget = { rule, ...(image === undefined ? {} : { image }) }
    const context = contextOf({ inventory, scratchSerials: marks, readDisks: async () => now(await read()), root: join(folder, 'target') })
    const write: Promise<unknown> = image === undefined ? performStep({ ...partitions, disk: rule }, context) : takeDisk(target, context)
    const refusal = await write.then(() => undefined, (error: Error) => error.message)
    await run('umount', [context.root]).catch(() => '')
    const after = await hashes(disks, held)
    await back?.()
    return { refusal, foretold: planDisks({ id: 'm', inventory, scratchSerials: marks }, target, '').summary, changed: disks.filter((_, index) => before[index] !== after[index]).map(({ device }) => device), seen: told }
  } finally {
    for (const { device } of disks) await run('partx', ['--delete', device]).catch(() => '')
    for (const handle of held) await handle.close()
    await rm(folder, { recursive: true })
  }
}

const contextOf = (given: { inventory: Pick<StepContext['inventory'], 'disks'> } & Pick<StepContext, 'scratchSerials' | 'readDisks' | 'root'>): StepContext =>
  ({ ...given, run, log: pino({ level: 'silent' }), progress: () => {}, signal: new AbortController().signal }) as unknown as StepContext

/** Does to an empty disk what the first step of a job does. */
export async function makeSystem({ device }: BenchDisk): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'ingot-system-'))
  const readDisks = async () => [await loopDiskNow(device)]
  await performStep(partitions, contextOf({ inventory: { disks: await readDisks() }, scratchSerials: [], readDisks, root }))
  await run('umount', [root])
  await rm(root, { recursive: true })
}

async function openDisk(folder: string, disks: readonly BenchDisk[], { sizeMiB = 16, lessBytes = 0, sectorBytes = 512, pathTo }: DiskSpec): Promise<BenchDisk> {
  const file = pathTo === undefined ? join(folder, `disk${disks.length}`) : disks[pathTo]!.file
  const handle = await open(file, 'a')
  if (pathTo === undefined) await handle.truncate(sizeMiB * mib - lessBytes)
  await handle.close()
  const device = await run('losetup', ['--find', '--show', '--sector-size', String(sectorBytes), file])
  // The kernel keeps the partitions that a program told it of, for whoever is given this device next.
  await run('partx', ['--delete', device]).catch(() => '')
  return { device, file }
}

/** A hash over all bytes of each disk; of a large one, whether its file was written to: when last, and how much of it is there. */
const hashes = (disks: readonly BenchDisk[], held: readonly FileHandle[]): Promise<string[]> =>
  Promise.all(
    disks.map(async ({ file }, index) => {
      // A disk that dies cannot be written out.
      await held[index]!.sync().catch(() => {})
      const { size, mtimeNs, blocks } = await stat(file, { bigint: true })
      if (size > 256 * mib) return `${mtimeNs} ${blocks}`
      const hash = createHash('sha256')
      for await (const bytes of createReadStream(file, { highWaterMark: mib })) hash.update(bytes as Buffer)
      return hash.digest('hex')
    }),
  )
