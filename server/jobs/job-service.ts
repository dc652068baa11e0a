import type { Plan } from '../../images/plan.ts'
import type { EndedJob, JobDetails } from '../api/history.ts'
import { withJobDefaults, type Job, type JobPatch, type ListedJob, type Place } from '../api/job.ts'
import type { Status, StatusReport } from '../api/status.ts'
import { HttpProblem } from '../http/problem.ts'
import { claimTokenPattern, hashClaim } from './claim-token.ts'
import { createClaims, type ClaimsOptions } from './claims.ts'
import type { JobRecord } from './job-store.ts'
import { createJobPlans, type MakePlan } from './job-plans.ts'
import { createOffers } from './offers.ts'
import { createProvingJobs, type ProvingJobs } from './proving-jobs.ts'
import { candidatesFor, isChoosy, renderListedJob } from './render-listed-job.ts'
import * as rules from './rules.ts'
import { unmetRequirements, type KnownMachine } from './unmet-requirements.ts'

export interface JobService {
  /** The list with the state of each job (B6), in the order in which they are taken. */
  list(): Promise<ListedJob[]>
  /** What is wrong with the list as a person edited it; the last good list stays in force. */
  problems(): readonly string[]
  /**
   * The first jobs that this worker may take now, in order: those assigned to it, then the others that its machine can do. Jobs just offered to another
   * worker come only when nothing else is left, so that many workers do not run for the same one; it is the claim that decides. With `waitMs` the
   * answer waits until there is one, the time is over or `signal` is aborted.
   */
  offers(asked: { worker: string; limit: number; waitMs?: number; signal?: AbortSignal }): Promise<ListedJob[]>
  /** All that is known of a job, also of one that left the list; throws 404 for one that never was. */
  show(id: string): Promise<JobDetails>
  /** Makes the script of a job, with all it needs, and then puts the job on the list; throws 409 when one of that id is listed. */
  add(job: Job, place?: Place): Promise<void>
  edit(id: string, patch: JobPatch): Promise<ListedJob>
  move(id: string, place: Place): Promise<ListedJob>
  /** Pushes a job to a machine (B18). Throws 409 when a worker holds it, or when that machine is known and cannot do it. */
  assign(id: string, machine: string): Promise<ListedJob>
  /** Makes a job that failed, was cancelled or waits available now, its attempts counted anew; throws 409 when a worker holds it. */
  retry(id: string): Promise<ListedJob>
  /** Ends the claim, if any, and keeps the job on the list where nobody takes it until it is retried. The worker is refused from now on. */
  cancel(id: string): Promise<ListedJob>
  /** Takes a job off the list for good; a worker that holds it is refused from now on. */
  remove(id: string): Promise<void>
  /** The first job that was pushed to this machine and that nobody has taken yet. */
  assignedTo(machine: string): Promise<string | undefined>
  /** Whether this worker holds a job that it took before a moment, for example `2026-11-23T21:20:01.123Z`. */
  holdsSince(worker: string, before: string): Promise<boolean>
  /** Whether a machine has a job, or may take one now or in a while; of one that was never seen nobody knows what it may not. */
  hasWorkFor(machine: string): Promise<boolean>
  performed(): Promise<EndedJob[]>
  /** The script of a job (B3), made now if it was put on the list by hand. */
  plan(id: string): Promise<Plan>
  /** The status of a job, also of one that has left the list; throws 404 when it has none, which means that it is available (B14). */
  status(id: string): Promise<Status>
  /** Takes a job for a worker (B15): 201 when taken now, 200 when the same claim holds it already; throws 412 when another does, 409 when it may not. */
  claim(id: string, report: StatusReport & { worker: string; server: string }, claim: string): Promise<{ status: Status; created: boolean }>
  /**
   * Writes a worker's report over its own claim; `performed` ends a job that deploys an image. Throws 409 when another claim holds the job, 410 when this claim has ended (F5), 412 when `ifMatch`
   * (an ETag) is not that of the status.
   */
  report(id: string, report: StatusReport, claim: string, ifMatch?: string): Promise<Status>
  /** A worker gives its job back, for example because it was started anew and knows no more how far it was: the job may be taken again. */
  giveBack(id: string, claim: string): Promise<void>
  appendLog(id: string, text: string, claim: string): Promise<void>
  log(id: string): Promise<string>
  /** Throws 409 or 410 unless this is the claim that holds the job, or that brought its image. */
  mayRead(id: string, claim: string): Promise<void>
  /** The same, and throws 404 unless the script of the job names the image. */
  mayPull(id: string, image: string, claim: string): Promise<void>
  /** Throws 409 or 410 unless this claim may send parts of `image`, and publish it as `version` when one is given (F5). */
  mayPublish(id: string, image: string, version: string | undefined, claim: string): Promise<void>
  /**
   * The image of a job was received and read back: its worker is done with it, and the job waits for its proof. Asked again by the same claim, it does
   * nothing. Returns the status as it then is, `performed` when it came as far meanwhile, and whether it was new.
   */
  received(id: string, imageDigest: string, claim: string): Promise<{ status: Status; isNew: boolean }>
  /** What is left to do of jobs whose image was received; once that is visible a job leaves the list as performed (B10). */
  readonly proving: ProvingJobs
  /** Calls `listener` when something on the list changed, on this server or another, until the returned function is called; what workers report is told by events. */
  follow(listener: () => void): () => void
  /** Looks after the clocks of all claims now; done on its own once a second (B9). */
  reclaim(): Promise<void>
  close(): Promise<void>
}

/** ETag of a status, a strong one (RFC 9110, 8.8.3): `"<attempt>-<revision>"`. */
export const etagOf = ({ attempt, revision }: Status): string => `"${attempt}-${revision}"`

export interface JobServiceOptions extends ClaimsOptions {
  makePlan: MakePlan
  /** Whether all that a script names is kept here; default yes. A server that shares only the list with others makes what it lacks when it is asked. */
  hasComponents?: (plan: Plan) => Promise<boolean>
  /** Told of each claim before its worker hears of it. */
  onClaimed?: (worker: string) => Promise<void>
}

/** The rules of the job list over a store (B1-B18). */
export function createJobService(options: JobServiceOptions): JobService {
  const { store, emit, makePlan, machines, hasComponents = async () => true, onClaimed = async () => {}, now = Date.now, backoff = rules.defaultBackoff } = options
  const claims = createClaims({ ...options, backoff })
  const offers = createOffers({ store, machine: (id) => machines.read(id), now })

  const notListed = (id: string): HttpProblem => new HttpProblem(404, `no job '${id}' is listed`)

  const read = async (id: string): Promise<JobRecord> => {
    const record = await store.read(id)
    if (record === undefined) throw notListed(id)
    return record
  }

  const render = (record: JobRecord, known?: readonly KnownMachine[]): ListedJob => renderListedJob(record, now(), known)
  const renderOne = async (record: JobRecord): Promise<ListedJob> => render(record, isChoosy(record.job) ? await machines.list() : [])
  const listedNow = async (id: string): Promise<ListedJob> => renderOne(await read(id))

  /** The status of a job that left the list, for the claim that performed it and was not told so; throws `HttpProblem` 410 for any other. */
  const performedBy = async (id: string, claimHash: string): Promise<Status> => {
    const ended = (await claims.wasPerformedBy(id, claimHash)) ? (await store.ended(id))?.status : undefined
    return ended ?? rules.heldBy(claimHash, id, undefined)
  }

  const mayRead = async (id: string, claim: string): Promise<void> => {
    const claimHash = hashClaim(claim)
    const record = await store.read(id)
    if (rules.isProvenFor(claimHash, record) || (record === undefined && (await claims.wasPerformedBy(id, claimHash)))) return
    rules.heldBy(claimHash, id, record)
  }

  const plans = createJobPlans({ store, makePlan, hasComponents, workOf: async (id) => (await read(id)).job })
  const proving = createProvingJobs({ store, claims, emit, readPlan: plans.read, now, backoff })

  return {
    async list() {
      const records = await store.list()
      const known = records.some(({ job }) => isChoosy(job)) ? await machines.list() : []
      return records.map((record) => render(record, known))
    },
    problems: () => store.problems(),
    offers: async (asked) => (await offers.ask(asked)).map((record) => render(record)),
    async show(id) {
      const record = await store.read(id)
      if (record === undefined) {
        const ended = await store.ended(id)
        if (ended === undefined) throw notListed(id)
        const { job, end, status, history } = ended
        return { job, end, ...(status === undefined ? {} : { status }), attempts: history?.attempts ?? [], machines: [] }
      }
      const { job, status, history } = record
      const known = isChoosy(job) ? candidatesFor(job, await machines.list()) : []
      return {
        job: await renderOne(record),
        ...(status === undefined ? {} : { status }),
        attempts: history?.attempts ?? [],
        machines: known.map((each) => ({ machine: each.id, problems: unmetRequirements(job, each) })),
      }
    },
    async add(job, place) {
      if ((await store.read(job.id)) !== undefined) throw new HttpProblem(409, `job '${job.id}' is listed already`)
      await plans.make(job.id, job)
      await store.add(job, place)
    },
    async edit(id, patch) {
      const change = (job: Job): Job => {
        const changed = Object.entries({ ...job, ...patch }).filter(([, value]) => value !== null && value !== undefined)
        return withJobDefaults(Object.fromEntries(changed) as Job)
      }
      await store.edit(id, change)
      return listedNow(id)
    },
    async move(id, place) {
      await store.move(id, place)
      return listedNow(id)
    },
    async assign(id, machine) {
      const record = await read(id)
      rules.requireRest(record)
      const { job } = record
      const known = await machines.read(machine)
      const problems = known.inventory === undefined ? [] : unmetRequirements(job, known)
      if (problems.length > 0) throw new HttpProblem(409, `the machine ${machine} cannot do job '${id}'`, problems)
      await store.edit(id, (each) => ({ ...each, assignedTo: machine }))
      return listedNow(id)
    },
    async retry(id) {
      if ((await store.change(id, rules.planRetry)) === undefined) throw notListed(id)
      return listedNow(id)
    },
    async cancel(id) {
      const done = await store.change(id, (record) => rules.planCancel(record, now()))
      if (done === undefined) throw notListed(id)
      const { status } = done.record
      if (status !== undefined && rules.isUnderWay(status)) claims.announceLoss(status, 'cancelled')
      return listedNow(id)
    },
    async remove(id) {
      const done = await store.change(id, (record) => rules.planRemoval(record, now()))
      if (done === undefined) throw notListed(id)
      const { status } = done.record
      if (status !== undefined && rules.isUnderWay(status)) claims.announceLoss(status, 'cancelled')
    },
    holdsSince: async (worker, before) => (await store.held()).some(({ status }) => status?.worker === worker && status.claimedAt <= before),
    async hasWorkFor(machine) {
      const [held, assigned] = await Promise.all([store.held(), store.assigned()])
      if (held.some(({ status }) => status?.worker === machine) || assigned.some(({ job }) => job.assignedTo === machine)) return true
      const known = await machines.read(machine)
      const mayTake = ({ job }: JobRecord): boolean => known.inventory === undefined || unmetRequirements(job, known).length === 0
      return (await store.available({ accept: mayTake, limit: 1 })).length > 0
    },
    assignedTo: async (machine) => (await store.assigned()).find(({ job }) => job.assignedTo === machine)?.job.id,
    performed: () => store.performed(),
    plan: plans.read,
    async status(id) {
      const record = await store.read(id)
      const status = record === undefined ? (await store.ended(id))?.status : record.status
      if (status === undefined) throw new HttpProblem(404, `job '${id}' has no status: ${record === undefined ? 'it is not listed' : 'it is available'}`)
      return status
    },
    async claim(id, report, claim) {
      if (!claimTokenPattern.test(claim)) throw new HttpProblem(400, 'header Ingot-Claim: expected 32 random bytes in base64url, got something else')
      const offerAgain = offers.holdBack(id)
      try {
        const taken = await claims.take(id, report, hashClaim(claim))
        if (taken.created) await onClaimed(report.worker)
        return taken
      } finally {
        offerAgain()
      }
    },
    async report(id, report, claim, ifMatch) {
      const claimHash = hashClaim(claim)
      const deployed = report.state === 'performed' ? (await store.plan(id))?.steps.find((step) => step.kind === 'write-image')?.digest : undefined
      const done = await store.change(id, (record) => {
        const held = rules.heldBy(claimHash, id, record)
        if (ifMatch !== undefined && ifMatch !== '*' && ifMatch !== etagOf(held)) {
          throw new HttpProblem(412, `header If-Match: expected ${etagOf(held)}, got ${ifMatch}`)
        }
        return report.state === 'performed' ? rules.planDeployed(record, held, deployed, now()) : rules.planReport(held, report, now())
      })
      if (done === undefined) return report.state === 'performed' ? performedBy(id, claimHash) : rules.heldBy(claimHash, id, undefined)
      if (done.change.kind === 'end') {
        const status = done.change.ended.status!
        emit({ machine: status.worker, hop: 'performed', job: id })
        return status
      }
      claims.announce(done.change.status)
      return done.change.status
    },
    async giveBack(id, claim) {
      const held = rules.heldBy(hashClaim(claim), id, await store.read(id))
      await claims.giveBack(held)
    },
    async appendLog(id, text, claim) {
      rules.heldBy(hashClaim(claim), id, await store.read(id))
      await store.appendLog(id, text)
    },
    async log(id) {
      const log = await store.log(id)
      if (log === undefined) throw new HttpProblem(404, `job '${id}' has no log yet`)
      return log
    },
    mayRead,
    async mayPull(id, image, claim) {
      await mayRead(id, claim)
      const steps = (await store.plan(id))?.steps ?? []
      if (!steps.some((step) => 'image' in step && step.image === image)) throw new HttpProblem(404, `the script of job '${id}' names no image '${image}'`)
    },
    async mayPublish(id, image, version, claim) {
      const claimHash = hashClaim(claim)
      const record = await store.read(id)
      // The answer to its manifest was lost, and it asks again.
      if (record === undefined && (await claims.wasPerformedBy(id, claimHash))) return
      const held = version !== undefined && rules.isProvenFor(claimHash, record) ? record.status : rules.heldBy(claimHash, id, record)
      const steps = (await store.plan(id))?.steps ?? []
      const kept = steps.find((step) => step.kind === 'snapshot')?.tag
      if (version !== undefined && version !== held.imageVersion && version !== kept) throw new HttpProblem(409, `job '${id}' makes version '${held.imageVersion}', not '${version}'`)
      const made = steps.find((step) => step.kind === 'image')?.image
      if (made !== image) throw new HttpProblem(409, `job '${id}' makes ${made === undefined ? 'no image' : `the image '${made}'`}, not '${image}'`)
    },
    async received(id, imageDigest, claim) {
      const claimHash = hashClaim(claim)
      const { proof = 'none' } = (await store.plan(id)) ?? {}
      const begins = proof === 'none' ? {} : { progress: { stepIndex: 0, stepCount: proof.firmware.length, step: 'proof', detail: 'waits for its turn' } }
      const done = await store.change(id, (record) => rules.planReceipt(id, record, { claimHash, imageDigest, ...begins }, now()))
      if (done === undefined) return { status: await performedBy(id, claimHash), isNew: false }
      return done.change.kind === 'status' ? { status: done.change.status, isNew: true } : { status: done.record.status!, isNew: false }
    },
    proving,
    follow: (listener) => store.follow(listener),
    reclaim: claims.reclaim,
    async close() {
      offers.close()
      await claims.close()
      await store.close()
    },
  }
}
