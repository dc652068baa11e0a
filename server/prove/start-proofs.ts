import type { Status } from '../api/status.ts'
import { IngotError } from '../errors.ts'
import { HttpProblem } from '../http/problem.ts'
import type { ProofHold } from '../jobs/job-store.ts'
import { findReceived, publishJob, Unwanted, type PublishJobOptions } from './publish-job.ts'
import { Unproven } from './prove.ts'

export interface ProofsOptions extends PublishJobOptions {
  /** Proofs at once, default 1: each is a machine of 1 GiB for every kind of firmware that is asked for. */
  atOnce?: number
  /** How often to look for what is to be proven, default 1000 ms. */
  lookEveryMs?: number
  /** How long a proof waits after it could not be made for a reason that is not the image's, default 60,000 ms. */
  tryAgainMs?: number
  /** Called once an image is visible. */
  onPublished?: () => void
}

/** The way of images from received to visible (F2, F3). */
export interface Proofs {
  /** The image of a job was received. One without proof is visible when this returns; any other is proven when its turn comes. */
  begin(begun: Status): Promise<void>
  /** Ends what runs; it is begun anew by the next server that looks. */
  close(): Promise<void>
}

interface Running {
  stop: AbortController
  /** It has its turn: the image is here, and no other server proves it. */
  proves: boolean
  /** Settles when it has its turn, or has ended without. */
  taken: Promise<void>
  done: Promise<void>
}

/** What the store says of an image that is at fault, or damaged: another one is needed. */
const faultsOfImage: readonly string[] = ['image-corrupt', 'image-invalid', 'image-unknown', 'image-exists', 'blob-unknown']

/**
 * Proves every image of the list that was received, a few at a time, makes it visible and ends its job. All that it knows stands in the list: a server that is
 * killed takes the same jobs up again, and of several on one list each job is proven by one.
 */
export function startProofs(options: ProofsOptions): Proofs {
  const { jobs, atOnce = 1, lookEveryMs = 1000, tryAgainMs = 60_000, onPublished, log } = options
  /** By the hash of their claim, as what waits. */
  const running = new Map<string, Running>()
  const notBefore = new Map<string, number>()

  async function attempt(begun: Status, signal: AbortSignal, onTurn: () => void): Promise<void> {
    let hold: ProofHold | undefined
    try {
      const received = await findReceived(begun, options)
      if (received === undefined) return
      hold = await jobs.hold(begun.job)
      // Another server has it, or has just ended it.
      if (hold === undefined || !(await jobs.isWanted(begun))) return
      onTurn()
      await publishJob(received, signal, options)
      onPublished?.()
    } catch (error) {
      if (!signal.aborted && !(error instanceof Unwanted)) await endBadly(begun, error as Error)
    } finally {
      await hold?.letGo()
    }
  }

  async function endBadly(begun: Status, error: Error): Promise<void> {
    const { job } = begun
    const isImages = error instanceof IngotError && faultsOfImage.includes(error.code)
    if (error instanceof Unproven || isImages) {
      const { failure } = error instanceof Unproven ? error : new Unproven(error)
      log?.warn({ job, failure: failure.message }, 'image is not proven')
      return jobs.lose(begun, failure)
    }
    // It was taken off the list in this very moment.
    if (error instanceof HttpProblem) return log?.warn({ job, reason: error.message }, 'the job of an image ended before its proof did')
    // Nothing is lost by what this host lacks or cannot do now.
    notBefore.set(begun.claimHash, performance.now() + tryAgainMs)
    if (error instanceof IngotError) log?.error({ job, reason: error.message }, 'an image cannot be proven now')
    else log?.error({ err: error, job }, 'an image cannot be proven now')
    jobs.tell(begun, { kind: 'waiting', for: error.message })
    await jobs.progress(begun, { stepIndex: 0, stepCount: 1, step: 'proof', detail: error.message.slice(0, 500) })
  }

  function run(begun: Status): Running {
    const { promise: taken, resolve } = Promise.withResolvers<void>()
    const mine: Running = { stop: new AbortController(), proves: false, taken, done: Promise.resolve() }
    const onTurn = (): void => {
      mine.proves = true
      resolve()
    }
    running.set(begun.claimHash, mine)
    mine.done = attempt(begun, mine.stop.signal, onTurn)
      .catch((error: unknown) => {
        notBefore.set(begun.claimHash, performance.now() + tryAgainMs)
        log?.error({ err: error, job: begun.job }, 'a proof did not end')
      })
      .finally(() => {
        running.delete(begun.claimHash)
        resolve()
        // The next waits for its turn.
        if (mine.proves) lookNow()
      })
    return mine
  }

  const isFull = (): boolean => [...running.values()].filter(({ proves }) => proves).length >= atOnce

  async function look(): Promise<void> {
    // What begins while the list is read may not be on it yet.
    const before = [...running]
    const wanted = new Map((await jobs.list()).map(({ status }) => [status.claimHash, status]))
    for (const [claimHash, { stop }] of before) if (!wanted.has(claimHash)) stop.abort(new Unwanted('the job was taken off'))
    for (const claimHash of notBefore.keys()) if (!wanted.has(claimHash)) notBefore.delete(claimHash)
    for (const [claimHash, status] of wanted) {
      if (closed || isFull()) return
      if (!running.has(claimHash) && (notBefore.get(claimHash) ?? 0) <= performance.now()) await run(status).taken
    }
  }

  let closed = false
  let looking: Promise<void> = Promise.resolve()
  let isAsked = false
  /** One look at a time; asked for during one, another follows. */
  const lookNow = (): void => {
    if (isAsked || closed) return
    isAsked = true
    looking = looking.then(() => {
      isAsked = false
      return look().catch((error: unknown) => log?.error({ err: error }, 'the images to be proven cannot be looked for'))
    })
  }
  const timer = setInterval(lookNow, lookEveryMs)
  timer.unref()
  const unfollow = jobs.follow(lookNow)
  lookNow()

  return {
    async begin(begun) {
      if (begun.state !== 'proving') return
      if ((await jobs.plan(begun.job)).proof !== 'none') return lookNow()
      await (running.get(begun.claimHash) ?? run(begun)).done
    },
    async close() {
      closed = true
      clearInterval(timer)
      unfollow()
      await looking
      for (const { stop } of running.values()) stop.abort(new Error('the server stops'))
      await Promise.all([...running.values()].map(({ done }) => done))
    },
  }
}
