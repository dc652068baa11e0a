import type { Logger } from 'pino'
import type { Plan, StepKind, StepOf, PlannedPartition } from '../../images/plan.ts'
import type { ChunkDescriptor, ImageConfig } from '../../server/api/image.ts'
import type { Disk, Inventory } from '../../server/api/machine.ts'
import type { OpenLayeredDisk } from '../layers/open-layered-disk.ts'
import type { Run, Start } from '../run.ts'
import type { JobServer } from '../server-client.ts'
import type { InstalledPartition } from './mount-target.ts'

/** A partition as the steps need to know it once it is there. */
export type SystemPartition = Omit<PlannedPartition, 'partitionGuid'>

/** The disk that the system is made on, for the steps after the first. */
export interface TargetDisk {
  /** Device node, for example `/dev/vda`. */
  device: string
  /** Size of the layout in bytes, from `diskSizeBytes` of the partition step. */
  layoutSizeBytes: number
  /** The partitions with their device nodes, for example `/dev/vda3`. */
  partitions: (SystemPartition & { device: string })[]
  /** Of a disk that lies over an image: what was never written to is as it is there. */
  layered?: {
    /** Logical sector size of the image. */
    sectorBytes: number
    layers: readonly ChunkDescriptor[]
    changed: OpenLayeredDisk['changed']
    /** The real disk, if that holds all of the image by itself, for example `/dev/vda`. */
    filledDevice?: string
  }
}

/** What the write-image step put onto a disk, for the steps after it. */
export interface WrittenImage {
  /** Device node, for example `/dev/vda`. */
  device: string
  config: ImageConfig
  partitions: InstalledPartition[]
}

/** What a step executor touches. */
export interface StepContext {
  plan: Plan
  job: string
  inventory: Inventory
  /** Serial numbers of this machine's disks that may be written though they hold data (F1). */
  scratchSerials: readonly string[]
  /** The disks of this machine as they are now. */
  readDisks: () => Promise<Disk[]>
  /** Where the installed system is mounted, for example `/target`. */
  root: string
  /** Set by the step that the system begins with: partition, or start-from. */
  disk: TargetDisk | undefined
  /** Set by the write-image step. */
  written: WrittenImage | undefined
  server: JobServer
  /** Base of the package archive on the first computer, for example `http://10.77.0.1:8080/packages`. */
  packagesUrl: string
  run: Run
  /** Starts a program that ends with the job at the latest. */
  start: Start
  /** What is done when the job has ended, whichever way, and nothing is mounted at `root` any more. */
  cleanUps: (() => Promise<void>)[]
  log: Logger
  /** Tells where the step is; may be called often, it is thinned before it is sent. */
  progress: (at: { doneBytes?: number; totalBytes?: number; detail?: string }) => void
  signal: AbortSignal
}

export type StepExecutor<Kind extends StepKind> = (step: StepOf<Kind>, context: StepContext) => Promise<void>

/** What was written; throws in a plan that does not begin with it. */
export function writtenImage({ written }: Pick<StepContext, 'written'>): WrittenImage {
  if (written === undefined) throw new Error('expected a write-image step before, got none')
  return written
}
