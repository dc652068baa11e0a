import type { Logger } from 'pino'
import type { Plan, StepKind, StepOf, PlannedPartition } from '../../images/plan.ts'
import type { Inventory } from '../../server/api/machine.ts'
import type { Run } from '../run.ts'
import type { JobServer } from '../server-client.ts'

/** The disk that the partition step chose, for the steps after it. */
export interface TargetDisk {
  /** Device node, for example `/dev/vda`. */
  device: string
  /** Size of the layout in bytes, from `diskSizeBytes` of the partition step. */
  layoutSizeBytes: number
  /** The partitions with their device nodes, for example `/dev/vda3`. */
  partitions: (PlannedPartition & { device: string })[]
}

/** What a step executor touches. */
export interface StepContext {
  plan: Plan
  job: string
  inventory: Inventory
  /** Serial numbers of this machine's disks that may be written though they hold data (F1). */
  scratchSerials: readonly string[]
  /** Where the installed system is mounted, for example `/target`. */
  root: string
  /** Set by the partition step. */
  disk: TargetDisk | undefined
  server: JobServer
  /** Base of the package archive on the first computer, for example `http://10.77.0.1:8080/packages`. */
  packagesUrl: string
  run: Run
  log: Logger
  /** Tells where the step is; may be called often, it is thinned before it is sent. */
  progress: (at: { doneBytes?: number; totalBytes?: number; detail?: string }) => void
  signal: AbortSignal
}

export type StepExecutor<Kind extends StepKind> = (step: StepOf<Kind>, context: StepContext) => Promise<void>
