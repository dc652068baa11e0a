import type { Logger } from 'pino'
import type { Loss } from '../api/history.ts'
import type { Failure, Status, StatusReport } from '../api/status.ts'
import type { Emit } from '../event-log.ts'
import { HttpProblem } from '../http/problem.ts'
import type { JobRecord, JobStore } from './job-store.ts'
import type { MachineDirectory } from './machine-directory.ts'
import { startReclaimer } from './reclaimer.ts'
import * as rules from './rules.ts'
import { unmetRequirements, type KnownMachine } from './unmet-requirements.ts'

export interface ClaimsOptions {
  store: JobStore
  emit: Emit
  machines: MachineDirectory
  /** Digest of an image version that is published, or nothing: a job whose image is there is performed, whatever became of its worker. */
  publishedDigest?: (image: string, version: string) => Promise<string | undefined>
  /** Milliseconds since 1970; default the time of day. */
  now?: () => number
  /** The process's own clock in milliseconds, by which the clocks of claims run. */
  monotonic?: () => number
  /** How long a lost job waits before it may be taken again; default 30 s, doubled with each attempt up to 10 min. */
  backoff?: rules.Backoff
  /** How often to look for lost jobs; default 1000 ms. */
  reclaimEveryMs?: number
  log?: Logger
}

/** From the taking of a job to its end, whichever it is. Claims go by the hash of their token. */
export interface Claims {
  /** Takes a job; throws `HttpProblem` 404, 409 when this worker may not, 412 when it is taken. */
  take(id: string, report: StatusReport & { worker: string; server: string }, claimHash: string): Promise<{ status: Status; created: boolean }>
  /** The worker of this claim gives its job back. */
  giveBack(held: Status): Promise<void>
  /** The image of a job is visible: the job is performed. Throws `HttpProblem` 410 for a claim that never had it. */
  finish(id: string, imageDigest: string, claimHash: string): Promise<void>
  wasPerformedBy(id: string, claimHash: string): Promise<boolean>
  /** Tells of a claim that ended without an image, and of what a worker reported. */
  announceLoss(status: Status, loss: Loss, failure?: Failure): void
  announce(status: Status): void
  /** Looks after the clocks of all claims now; done on its own once a second (B9). */
  reclaim(): Promise<void>
  close(): Promise<void>
}

export function createClaims(options: ClaimsOptions): Claims {
  const { store, emit, machines, publishedDigest, now = Date.now, backoff = rules.defaultBackoff } = options

  const announceLoss = (status: Status, loss: Loss, failure?: Failure) =>
    emit({ machine: status.worker, hop: 'lost', job: status.job, loss, ...(failure === undefined ? {} : { failure }) })
  const announce = (status: Status) => {
    const about = { machine: status.worker, job: status.job }
    if (status.failure !== undefined) emit({ ...about, hop: 'failed', failure: status.failure })
    else if (status.progress !== undefined) emit({ ...about, hop: 'step', progress: status.progress })
  }

  const lose = async (seen: Status, loss: rules.SilentLoss, isStill: (status: Status) => boolean): Promise<void> => {
    const done = await store.change(seen.job, (record) => {
      const { status } = record
      if (status === undefined || status.claimHash !== seen.claimHash || !rules.isHeld(status) || !isStill(status)) return { kind: 'keep' as const }
      return rules.planLoss(record, status, loss, now(), backoff)
    })
    if (done === undefined || done.change.kind === 'keep') return
    announceLoss(seen, loss)
    if (done.change.kind === 'status') announce(done.change.status)
  }

  /** A server that was killed between the image and the end of its job left the image published. */
  const finishIfPublished = async ({ job: { id } }: JobRecord, { imageVersion, claimHash }: Status): Promise<boolean> => {
    if (publishedDigest === undefined) return false
    const image = (await store.plan(id))?.steps.find((step) => step.kind === 'image')?.image
    const digest = image === undefined ? undefined : await publishedDigest(image, imageVersion)
    if (digest === undefined) return false
    await finish(id, digest, claimHash)
    return true
  }

  /** The version that the image of a job on the list is made under: the first that was not performed. */
  const nextVersion = async (id: string): Promise<string> => {
    for (let run = 1; ; run++) {
      const version = run === 1 ? id : `${id}_${run}`
      if (!(await store.isPerformed(version))) return version
    }
  }

  const finish = async (id: string, imageDigest: string, claimHash: string): Promise<void> => {
    const imageVersion = await nextVersion(id)
    const done = await store.change(id, (record) => rules.planCompletion(record, { claimHash, imageDigest, imageVersion }, now()))
    if (done !== undefined) {
      emit({ machine: done.change.ended.status!.worker, hop: 'performed', job: id })
      return
    }
    if (!(await wasPerformedBy(id, claimHash))) throw new HttpProblem(410, `job '${id}' is not on the list any more`)
  }
  const wasPerformedBy = async (id: string, claimHash: string): Promise<boolean> => {
    const ended = await store.ended(id)
    return ended?.end === 'performed' && ended.status?.claimHash === claimHash
  }

  const reclaimer = startReclaimer({
    store,
    now,
    ...(options.monotonic === undefined ? {} : { monotonic: options.monotonic }),
    ...(options.reclaimEveryMs === undefined ? {} : { everyMs: options.reclaimEveryMs }),
    ...(options.log === undefined ? {} : { log: options.log }),
    async end(seen, loss) {
      const status = seen.status!
      if (await finishIfPublished(seen, status)) return
      await lose(status, loss, (current) => loss === 'time-limit' || current.heartbeatAt === status.heartbeatAt)
    },
  })

  const take = async (id: string, report: StatusReport & { worker: string; server: string }, claimHash: string): Promise<{ status: Status; created: boolean }> => {
    const imageVersion = await nextVersion(id)
    let known: KnownMachine | undefined
    for (;;) {
      // The machine is looked up only when the job asks something of it.
      let asksMachine = false
      let made: Status | undefined
      const answer = await store
        .claim(id, (record) => {
          asksMachine = known === undefined && record.job.requires !== undefined
          if (asksMachine) throw new Error('the machine is not looked up yet')
          made = rules.planClaim(record, { report, claimHash, imageVersion }, now())
          const problems = known === undefined ? [] : unmetRequirements(record.job, known)
          if (problems.length > 0) throw new HttpProblem(409, `job '${id}' requires what ${report.worker} does not have`, problems)
          return made
        })
        .catch((error: unknown) => {
          if (!asksMachine) throw error
        })
      if (asksMachine) {
        known = await machines.read(report.worker)
        continue
      }
      if (answer === undefined) throw new HttpProblem(404, `no job '${id}' is listed`)
      // The same claim may have made a status that was cancelled since.
      if (!answer.claimed || !rules.isHeld(answer.status)) throw new HttpProblem(412, `job '${id}' is taken`)
      // A worker whose answer was lost asks again with the same token, and finds that it holds the job.
      const created = answer.status === made
      if (created) emit({ machine: report.worker, hop: 'claim', job: id })
      return { status: answer.status, created }
    }
  }

  return {
    take,
    giveBack: (held) => lose(held, 'given-back', () => true),
    finish,
    wasPerformedBy,
    announceLoss,
    announce,
    reclaim: () => reclaimer.look(),
    close: () => reclaimer.close(),
  }
}
