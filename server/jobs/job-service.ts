import { createHash } from 'node:crypto'
import type { Plan } from '../../images/plan.ts'
import type { Job, ListedJob } from '../api/job.ts'
import type { Status, StatusReport } from '../api/status.ts'
import type { Emit } from '../event-log.ts'
import { HttpProblem } from '../http/problem.ts'
import type { JobStore } from './job-store.ts'

export const hashClaim = (token: string): string => `sha256:${createHash('sha256').update(token).digest('hex')}`

/** A claim token is 32 random bytes in base64url; what is shorter could be guessed. */
const claimTokenPattern = /^[A-Za-z0-9_-]{43}$/

/** Makes the script of a job from its recipe; throws `IngotError` when the recipe is unknown or wrong or a component cannot be built. */
export type MakePlan = (recipe: string) => Promise<Plan>

export interface JobService {
  /** The list with the state of each job: `available` when it has no status (B6). */
  list(): Promise<ListedJob[]>
  /** Makes the script of a job, with all it needs, and then puts the job on the list. */
  add(job: Job): Promise<void>
  /** The script of a job (B3), made now if it was put on the list by hand. */
  plan(id: string): Promise<Plan>
  /** The status of a job; throws 404 when it has none, which means that it is available (B14). */
  status(id: string): Promise<Status>
  /** Takes a job for a worker (B15): 201 when taken now, 200 when the same claim holds it already; throws 412 when another does. */
  claim(id: string, report: StatusReport & { worker: string; server: string }, claim: string): Promise<{ status: Status; created: boolean }>
  /** Writes a worker's report over its own claim; throws 409 when the claim is no longer its own. */
  report(id: string, report: StatusReport, claim: string): Promise<Status>
  appendLog(id: string, text: string, claim: string): Promise<void>
  log(id: string): Promise<string>
  /** Throws unless this claim may publish `image` under the tag `id` (F5). */
  mayPublish(id: string, image: string, claim: string): Promise<void>
  /** The image of a job was received and proven whole: the job leaves the list (B10). */
  complete(id: string, imageDigest: string): Promise<void>
}

/** The rules of claims over a store. `now` is the clock, in milliseconds since 1970. */
export function createJobService({ store, makePlan, emit, now = Date.now }: { store: JobStore; makePlan: MakePlan; emit: Emit; now?: () => number }): JobService {
  // Writers of one status in this process take turns, so that a check and the write after it are one.
  const turns = new Map<string, Promise<unknown>>()
  const inTurn = <Result>(id: string, act: () => Promise<Result>): Promise<Result> => {
    const next = (turns.get(id) ?? Promise.resolve()).then(act)
    const settled = next.catch(() => {}).finally(() => {
      if (turns.get(id) === settled) turns.delete(id)
    })
    turns.set(id, settled)
    return next
  }

  const listed = async (id: string): Promise<Job> => {
    const job = (await store.list()).jobs.find((each) => each.id === id)
    if (job === undefined) throw new HttpProblem(404, `no job '${id}' is listed`)
    return job
  }

  const ownStatus = async (id: string, claim: string): Promise<Status> => {
    const status = await store.status(id)
    if (status === undefined) throw new HttpProblem(409, `job '${id}' is not claimed: this claim has ended`)
    if (status.claimHash !== hashClaim(claim)) throw new HttpProblem(409, `job '${id}' is held by another claim`)
    if (status.state === 'performed' || status.state === 'failed') throw new HttpProblem(409, `job '${id}' has ended: ${status.state}`)
    return status
  }

  const announce = (status: Status) => {
    const about = { machine: status.worker, job: status.job }
    if (status.failure !== undefined) emit({ ...about, hop: 'failed', failure: status.failure })
    else if (status.progress !== undefined) emit({ ...about, hop: 'step', progress: status.progress })
  }

  return {
    async list() {
      const { jobs } = await store.list()
      return Promise.all(
        jobs.map(async (job) => {
          const status = await store.status(job.id)
          if (status === undefined) return { ...job, state: 'available' as const }
          return { ...job, state: status.state === 'failed' ? ('failed' as const) : ('selected' as const) }
        }),
      )
    },
    async add(job) {
      await store.writePlan(job.id, await makePlan(job.recipe))
      await store.add(job)
    },
    plan: (id) =>
      inTurn(id, async () => {
        const kept = await store.plan(id)
        if (kept !== undefined) return kept
        const plan = await makePlan((await listed(id)).recipe)
        await store.writePlan(id, plan)
        return plan
      }),
    async status(id) {
      const status = await store.status(id)
      if (status === undefined) throw new HttpProblem(404, `job '${id}' has no status: it is available`)
      return status
    },
    claim: (id, report, claim) =>
      inTurn(id, async () => {
        if (!claimTokenPattern.test(claim)) throw new HttpProblem(400, "header Ingot-Claim: expected 32 random bytes in base64url, got something else")
        const job = await listed(id)
        const time = new Date(now())
        const status: Status = {
          ...report,
          version: 1,
          job: id,
          state: 'claimed',
          attempt: 1,
          claimHash: hashClaim(claim),
          claimedAt: time.toISOString(),
          heartbeatAt: time.toISOString(),
          deadlineAt: new Date(time.getTime() + job.timeLimitSeconds * 1000).toISOString(),
        }
        if (await store.createStatus(status)) {
          emit({ machine: status.worker, hop: 'claim', job: id })
          return { status, created: true }
        }
        // A worker whose answer was lost asks again with the same token, and finds that it holds the job.
        const held = await store.status(id)
        if (held?.claimHash === status.claimHash) return { status: held, created: false }
        throw new HttpProblem(412, `job '${id}' is taken`)
      }),
    report: (id, report, claim) =>
      inTurn(id, async () => {
        const held = await ownStatus(id, claim)
        if (report.state === 'performed') throw new HttpProblem(409, `job '${id}' is performed when its image was received, not before`)
        const status: Status = { ...held, ...report, heartbeatAt: new Date(now()).toISOString() }
        await store.replaceStatus(status)
        announce(status)
        return status
      }),
    async appendLog(id, text, claim) {
      await ownStatus(id, claim)
      await store.appendLog(id, text)
    },
    async log(id) {
      const log = await store.log(id)
      if (log === undefined) throw new HttpProblem(404, `job '${id}' has no log yet`)
      return log
    },
    async mayPublish(id, image, claim) {
      await ownStatus(id, claim)
      const made = (await store.plan(id))?.steps.find((step) => step.kind === 'image')?.image
      if (made !== image) throw new HttpProblem(409, `job '${id}' makes the image '${made}', not '${image}'`)
    },
    complete: (id, imageDigest) =>
      inTurn(id, async () => {
        const job = await listed(id)
        const held = await store.status(id)
        if (held === undefined) throw new HttpProblem(409, `job '${id}' is not claimed`)
        const { failure: _, ...rest } = held
        await store.perform(job, { ...rest, state: 'performed', imageDigest, heartbeatAt: new Date(now()).toISOString() })
        emit({ machine: held.worker, hop: 'performed', job: id })
      }),
  }
}
