import type { Plan } from '../../images/plan.ts'
import type { ProofBoot, ProofEvent } from '../api/proof.ts'
import type { Failure, Progress, Status } from '../api/status.ts'
import type { Emit } from '../event-log.ts'
import type { Claims } from './claims.ts'
import type { JobRecord, JobStore, ProofHold } from './job-store.ts'
import * as rules from './rules.ts'

/** Jobs whose image was received and is not visible yet, as the one who proves them sees them. `begun` is the status that the proof began with. */
export interface ProvingJobs {
  /** All of them, in the order of the list. */
  list(): Promise<(JobRecord & { status: Status })[]>
  /** Keeps a proof for this process alone; `undefined` when another has it. */
  hold(id: string): Promise<ProofHold | undefined>
  plan(id: string): Promise<Plan>
  /** Whether that proof is wanted still: not once the job was cancelled, removed, performed. */
  isWanted(begun: Status): Promise<boolean>
  /** Puts down how far the proof is. */
  progress(begun: Status, progress: Progress): Promise<void>
  /** Tells those who follow the events of the machine that made the image. */
  tell(begun: Status, event: ProofEvent, boot?: ProofBoot): void
  /** The image is visible: the job is performed. */
  perform(begun: Status, imageDigest: string): Promise<void>
  /** The image did not prove good: the attempt is lost. */
  lose(begun: Status, failure: Failure): Promise<void>
  /** Calls `listener` when something on the list changed, on this server or another, until the returned function is called. */
  follow(listener: () => void): () => void
}

export interface ProvingJobsOptions {
  store: JobStore
  claims: Pick<Claims, 'finish' | 'announce' | 'announceLoss'>
  emit: Emit
  readPlan: (id: string) => Promise<Plan>
  now: () => number
  backoff: rules.Backoff
}

export function createProvingJobs({ store, claims, emit, readPlan, now, backoff }: ProvingJobsOptions): ProvingJobs {
  return {
    list: async () => (await store.proving()).flatMap(({ status, ...record }) => (status === undefined ? [] : [{ ...record, status }])),
    hold: (id) => store.holdProof(id),
    // Made before the job was claimed: no component is looked for once more.
    plan: async (id) => (await store.plan(id)) ?? readPlan(id),
    isWanted: async (begun) => rules.isProving(await store.read(begun.job), begun),
    async progress(begun, progress) {
      await store.change(begun.job, (record) => (rules.isProving(record, begun) ? rules.planProofProgress(record.status, progress, now()) : { kind: 'keep' as const }))
    },
    tell: ({ worker, job }, event, boot) => emit({ machine: worker, hop: 'proof', job, ...(boot === undefined ? {} : { boot }), event }),
    perform: ({ job, claimHash }, imageDigest) => claims.finish(job, imageDigest, claimHash),
    async lose(begun, failure) {
      const done = await store.change(begun.job, (record) =>
        rules.isProving(record, begun) ? rules.planUnproven(record, record.status, failure, now(), backoff) : { kind: 'keep' as const },
      )
      if (done === undefined || done.change.kind === 'keep') return
      claims.announceLoss(begun, 'unproven', failure)
      if (done.change.kind === 'status') claims.announce(done.change.status)
    },
    follow: (listener) => store.follow(listener),
  }
}
