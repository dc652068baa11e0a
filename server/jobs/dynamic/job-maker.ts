import type { Logger } from 'pino'
import { withJobDefaults, type JobEntry } from '../../api/job.ts'
import { errorCodes, IngotError } from '../../errors.ts'
import { HttpProblem } from '../../http/problem.ts'
import type { JobService } from '../job-service.ts'

/** `made` now, or made before, by this server or another; `busy`: one of the same rule is not done yet; `failed`: it could not be made, the log tells why. */
export type Outcome = 'made' | 'known' | 'busy' | 'failed'

/** What the rules need of the list. */
export type JobList = Pick<JobService, 'list' | 'show' | 'add'>

export interface JobMaker {
  /** Puts a job on the list unless one of that id was ever there, or one with the same `madeBy` may still be taken or is held. */
  make(job: JobEntry & { madeBy: string }): Promise<Outcome>
  /** Logs a failure that a person can mend, once until another comes for the same rule; throws what is none. */
  fail(madeBy: string, error: unknown): Outcome
}

/** A job that failed or was cancelled waits for a person, and keeps no new one away. */
const isUnderWay = (state: string): boolean => state === 'available' || state === 'waiting' || state === 'selected'

/** After a failure of what we rely on, for example a mirror, a job is made again after a minute, then two, up to an hour: making it may take minutes. */
const firstWaitMs = 60_000
const longestWaitMs = 3_600_000

/** `monotonic` is a clock in milliseconds that is never set. */
export function createJobMaker({ jobs, log, monotonic = () => performance.now() }: { jobs: JobList; log: Logger; monotonic?: () => number }): JobMaker {
  const lastSaid = new Map<string, string>()
  const waits = new Map<string, { waitMs: number; untilMs: number }>()
  const sayOnce = (madeBy: string, text: string, say: () => void) => {
    if (lastSaid.get(madeBy) !== text) say()
    lastSaid.set(madeBy, text)
  }

  const fail = (madeBy: string, error: unknown): Outcome => {
    if (!(error instanceof IngotError || error instanceof HttpProblem)) throw error
    const { message, problems } = error
    sayOnce(madeBy, [message, ...problems].join('\n'), () => log.warn({ madeBy, reason: message, problems }, 'a rule makes no job until this is mended'))
    return 'failed'
  }

  const isKnown = async (id: string): Promise<boolean> => {
    try {
      await jobs.show(id)
      return true
    } catch (error) {
      if (error instanceof HttpProblem && error.status === 404) return false
      throw error
    }
  }

  return {
    fail,
    async make(job) {
      const { id, madeBy } = job
      try {
        if (await isKnown(id)) {
          lastSaid.delete(madeBy)
          return 'known'
        }
        if (monotonic() < (waits.get(id)?.untilMs ?? -Infinity)) return 'failed'
        const other = (await jobs.list()).find((each) => each.madeBy === madeBy && isUnderWay(each.state))
        if (other !== undefined) {
          sayOnce(madeBy, `${id} ${other.id}`, () => log.info({ madeBy, job: id, underWay: other.id }, 'no new job while the one before is under way'))
          return 'busy'
        }
        await jobs.add(withJobDefaults(job))
      } catch (error) {
        // Another server that shares the list was faster.
        if (error instanceof HttpProblem && error.status === 409) return 'known'
        if (error instanceof IngotError && errorCodes[error.code] === 'system') {
          const waitMs = Math.min((waits.get(id)?.waitMs ?? firstWaitMs / 2) * 2, longestWaitMs)
          waits.set(id, { waitMs, untilMs: monotonic() + waitMs })
        }
        return fail(madeBy, error)
      }
      lastSaid.delete(madeBy)
      waits.delete(id)
      log.info({ madeBy, job: id, recipe: job.recipe }, 'job made by a rule')
      return 'made'
    },
  }
}
