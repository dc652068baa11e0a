import type { Plan } from '../../images/plan.ts'
import type { EndedJob, History } from '../api/history.ts'
import type { Job, Place } from '../api/job.ts'
import type { Status } from '../api/status.ts'

/** A job of the list with all that is kept of it. Without a status it is available (B14). */
export interface JobRecord {
  job: Job
  status?: Status
  /** Present when attempts were lost. */
  history?: History
}

/**
 * What one write makes of a job, decided by a pure function over the record as it stands:
 * `keep` nothing changes; `status` the status is replaced (`durable: false` for signs of life, which may be lost in a crash);
 * `release` the status goes away, which makes the job available, and the history is kept (or dropped when absent);
 * `end` the job leaves the list and is kept as performed or removed, and whatever was kept under its id makes way for a new job of that id.
 */
export type Change =
  | { kind: 'keep' }
  | { kind: 'status'; status: Status; durable?: boolean }
  | { kind: 'release'; history?: History }
  | { kind: 'end'; ended: EndedJob }

export interface ProofHold {
  letGo(): Promise<void>
}

/**
 * Where the list, the scripts and the status of jobs are kept, by any number of servers at once. Every method throws when the storage
 * fails (`IngotError` 'storage-full' when it is full); only what is really not there is `undefined`. What a method has returned survives a crash.
 */
export interface JobStore {
  /** The list in the order in which jobs are taken: higher priority first, then the user's order (B4). */
  list(): Promise<JobRecord[]>
  /** One job of the list as it stands now, whoever changed it last. */
  read(id: string): Promise<JobRecord | undefined>
  /**
   * The first `limit` jobs in that order that have no status, are assigned to nobody and that `accept` takes. Costs no more on a long list; may lag a
   * second behind other servers.
   */
  available(asked: { accept: (record: JobRecord) => boolean; limit: number }): Promise<JobRecord[]>
  /** All jobs that have no status and are assigned to some machine, in order (B18). May lag in the same way. */
  assigned(): Promise<JobRecord[]>
  /** Every job that a worker holds: state `claimed` or `running`. */
  held(): Promise<JobRecord[]>
  /** Every job whose image is being proven: state `proving`. */
  proving(): Promise<JobRecord[]>
  /**
   * Keeps the proof of a listed job for this process alone, among all servers on the same data, until it is let go or the process ends, however it ends;
   * `undefined` when another has it.
   */
  holdProof(id: string): Promise<ProofHold | undefined>
  /**
   * Makes the status of a listed job, exclusively: of any number of callers on any number of servers one gets `claimed` (B8, B15). `make` is given the
   * record without status. `undefined`: no such job is listed. Whatever `make` throws is passed on, and nothing is written.
   */
  claim(id: string, make: (record: JobRecord) => Status): Promise<{ claimed: boolean; status: Status } | undefined>
  /**
   * Changes one job with nobody in between, on any server: `decide` is given the record as it stands and says what it shall be. Returns the record that
   * `decide` saw and its change, or `undefined` when no such job is listed. Whatever `decide` throws is passed on, and nothing is written.
   */
  change<Decided extends Change>(id: string, decide: (record: JobRecord) => Decided): Promise<{ record: JobRecord; change: Decided } | undefined>
  /** Puts a job on the list, last unless told; throws `HttpProblem` 409 when one of that id is listed. What an earlier job of that id left behind is not its own. */
  add(job: Job, place?: Place): Promise<void>
  /** Replaces what the list says of a job; throws `HttpProblem` 404 when it is not listed. Returns it as it stands after. */
  edit(id: string, change: (job: Job) => Job): Promise<Job>
  /** Moves a job on the list, giving it the priority of its new neighbour; throws `HttpProblem` 404 when one of the two is not listed. */
  move(id: string, place: Place): Promise<Job>
  /** The last job of that id that left the list. */
  ended(id: string): Promise<EndedJob | undefined>
  /** All that was performed, oldest first (B10). */
  performed(): Promise<EndedJob[]>
  /** Whether an image version was made by a performed job. */
  isPerformed(imageVersion: string): Promise<boolean>
  writePlan(id: string, plan: Plan): Promise<void>
  plan(id: string): Promise<Plan | undefined>
  appendLog(id: string, text: string): Promise<void>
  log(id: string): Promise<string | undefined>
  /** What is wrong with the list as a person edited it, while the last good list stays in force; empty when all is well. */
  problems(): readonly string[]
  /** Calls `listener` when something on the list changed, on this server or another, until the returned function is called. */
  follow(listener: () => void): () => void
  close(): Promise<void>
}
