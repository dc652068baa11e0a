import type { Logger } from 'pino'
import type { Progress, StatusReport } from '../../server/api/status.ts'
import { OutageError } from './answer-errors.ts'
import { backoffMs } from './backoff.ts'
import type { ClaimedJob } from './connect-job.ts'
import { awayBackoff, keepTrying } from './keep-trying.ts'
import { createLogBuffer } from './log-buffer.ts'
import { createRateMeter } from './measure-rate.ts'

/** Progress is told at most this often, and at least this often even when nothing moved: the heartbeat. */
const progressEveryMs = 1000
const heartbeatEveryMs = 10_000

/** Tells the first computer where a job is, without ever holding the job up: what it cannot tell now it tells when the server is back. */
export interface Reporter {
  progress(progress: Progress): void
  /** A line for the job's log. */
  line(text: string): void
  /** Settles once the server has every line until now. Throws when it refuses them or the signal is aborted. */
  flush(): Promise<void>
  /** Sends what is left of the log, and then how the job failed. Throws like `flush`. */
  finish(report: StatusReport): Promise<void>
  /** Tells nothing more; what was not sent yet is not sent. */
  stop(): void
}

export interface ReporterOptions {
  server: Pick<ClaimedJob, 'report' | 'log' | 'logSizeBytes'>
  log: Logger
  /** Called when the server refuses a report, which means that this claim has ended: the job must stop and leave the disk alone (F5). */
  onRefused: (reason: Error) => void
  /** Aborted when the job must stop; from then on nothing is sent. */
  signal: AbortSignal
}

export function startReporter({ server, log, onRefused, signal }: ReporterOptions): Reporter {
  const lines = createLogBuffer()
  const measure = createRateMeter()
  let latest: Progress | undefined
  let changed = true
  let sentAt = 0
  let failures = 0
  let dueAt = 0
  let logSizeBytes: number | undefined
  let inDoubt = false

  /** A request whose answer was lost may have put its text into the log or not. Nobody else writes there while this claim holds: its size tells. */
  const sendLog = async () => {
    for (let batch = lines.next(); batch !== undefined; batch = lines.next()) {
      if (logSizeBytes === undefined || inDoubt) {
        const now = await server.logSizeBytes(signal)
        if (logSizeBytes !== undefined && now > logSizeBytes) lines.arrived(now - logSizeBytes)
        logSizeBytes = now
        inDoubt = false
        continue
      }
      inDoubt = true
      await server.log(batch, signal)
      inDoubt = false
      lines.arrived(batch.byteLength)
      logSizeBytes += batch.byteLength
    }
  }
  const sendStatus = async () => {
    if (!changed && performance.now() - sentAt < heartbeatEveryMs) return
    changed = false
    try {
      await server.report({ state: 'running', ...(latest === undefined ? {} : { progress: latest }) }, signal)
      sentAt = performance.now()
    } catch (error) {
      changed = true
      throw error
    }
  }
  const tick = async () => {
    if (signal.aborted || performance.now() < dueAt) return
    try {
      await sendLog()
      await sendStatus()
      failures = 0
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof OutageError)) return onRefused(error as Error)
      const againInMs = backoffMs(++failures, awayBackoff)
      dueAt = performance.now() + againInMs
      log.warn({ reason: error.message, againInMs: Math.round(againInMs) }, 'the first computer does not take a report; the job goes on')
    }
  }

  // One after the other: a slow answer must not make reports overtake each other.
  let sending: Promise<unknown> = Promise.resolve()
  const inTurn = (send: () => Promise<void>): Promise<void> => {
    const next = sending.then(send)
    sending = next.catch(() => {})
    return next
  }
  const timer = setInterval(() => void inTurn(tick), progressEveryMs)
  const stop = () => clearInterval(timer)

  return {
    progress(progress) {
      latest = { ...measure(progress), ...(progress.detail === undefined ? {} : { detail: progress.detail.slice(0, 500) }) }
      changed = true
    },
    line: lines.push,
    flush: () => inTurn(() => keepTrying(sendLog, { signal })),
    finish(report) {
      stop()
      return inTurn(() =>
        keepTrying(
          async () => {
            await sendLog()
            await server.report(report, signal)
          },
          { signal },
        ),
      )
    },
    stop,
  }
}
