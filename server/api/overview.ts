import type { Hop } from './event.ts'
import type { ListedJob } from './job.ts'
import type { Disk, Inventory, Labels, MachineSystem } from './machine.ts'
import type { Failure, Progress } from './status.ts'

/*
 * What the console shows and follows: all machines and the whole list, small enough that 10,000 jobs are a second's transfer, and then only what changed.
 */

/**
 * What a machine is doing, for people. `booting`: on its way to the worker. `working`: it holds a job. `waiting`: its worker asks for jobs. `settled`: it was
 * sent to its own disk. `asking`: it waits to be admitted. `stopped`: something needs a person. `refused`: a person refused it. `unseen`: nothing was heard
 * of it since the kept events begin.
 */
export type MachineState = 'asking' | 'refused' | 'booting' | 'working' | 'waiting' | 'settled' | 'stopped' | 'unseen'

/** A machine on the rack, with its last news. */
export interface MachineCard {
  id: string
  state: MachineState
  /** The last hop that says where it is; absent when nothing was heard of it. */
  hop?: Hop
  /** When that hop was reached, and when this boot began; RFC 3339. */
  since?: string
  bootedAt?: string
  /** For people: what it does, or where it stopped. */
  what?: string
  address?: string
  job?: string
  progress?: Progress
  /** Of the bytes of the present step, over its last reports. */
  bytesPerSecond?: number
  /** Of one that stopped: the likely cause and what to look at, and the failure of its job when there was one. */
  stopped?: { cause?: string; failure?: Failure }
  hardware?: Pick<Inventory, 'firmware' | 'manufacturer' | 'model' | 'serial' | 'cpu' | 'memoryBytes' | 'secureBoot' | 'nics' | 'workerVersion'>
  disks: Disk[]
  /** Serial numbers of disks that may be overwritten (F1). */
  scratchSerials: string[]
  labels: Labels
  system?: MachineSystem
}

/** A job in the list of the console: `ListedJob` without what is only asked for when one is looked at. */
export type JobRow = Pick<ListedJob, 'id' | 'state' | 'attempt' | 'worker' | 'assignedTo' | 'progress' | 'notBefore' | 'deadlineAt' | 'blocked' | 'madeBy'> & {
  /** What it does, in a few words. */
  work: string
  /** Left out when 0. */
  priority?: number
}

/** All at one moment, the answer to `GET /overview.json`; its ETag is the revision. */
export interface OverviewSnapshot {
  revision: string
  /** In the order in which jobs are taken. */
  jobs: JobRow[]
  machines: MachineCard[]
  /** What is wrong with `jobs.json` on the disk while the last good list stays in force. */
  problems: readonly string[]
}

/** What part of an order became: from place `at`, `remove` ids give way to `ids`. */
export interface OrderChange {
  at: number
  remove: number
  ids: string[]
}

/** What changed since the revision before: jobs and machines that are new or differ, ids of those that are gone, and how the order changed after that. */
export interface OverviewChange {
  revision: string
  jobs: JobRow[]
  jobsGone: string[]
  order?: OrderChange
  machines: MachineCard[]
  machinesGone: string[]
  problems?: readonly string[]
}
