import type { Logger } from 'pino'
import type { Progress, StatusReport } from '../../server/api/status.ts'
import { RefusedError, type ClaimedJob } from './http-job-server.ts'

/** Progress is told at most this often, and at least this often even when nothing moved: the heartbeat. */
const progressEveryMs = 1000
const heartbeatEveryMs = 10_000

/** Tells the first computer where a job is, without ever holding the job up. */
export interface Reporter {
  progress(progress: Progress): void
  /** A line for the job's log. */
  line(text: string): void
  /** Sends what is left of the log; with a report, that too, and fails if the server does not take it. */
  finish(report?: StatusReport): Promise<void>
}

export interface ReporterOptions {
  server: ClaimedJob
  worker: string
  log: Logger
  /** Called when the server says that this claim has ended: the job must stop and leave the disk alone (F5). */
  onLost: (reason: Error) => void
  signal: AbortSignal
}

export function startReporter({ server, worker, log, onLost, signal }: ReporterOptions): Reporter {
  let latest: Progress | undefined
  let changed = false
  let lines: string[] = []
  let sentAt = 0
  let sending: Promise<void> = Promise.resolve()

  const sendLog = async () => {
    if (lines.length === 0) return
    const taken = lines
    lines = []
    try {
      await server.log(`${taken.join('\n')}\n`, signal)
    } catch (error) {
      // Kept for the next time, unless the server does not want it.
      if (!(error instanceof RefusedError)) lines = [...taken, ...lines]
      throw error
    }
  }
  const send = async () => {
    const due = changed || Date.now() - sentAt >= heartbeatEveryMs
    try {
      await sendLog()
      if (!due) return
      changed = false
      sentAt = Date.now()
      await server.report({ worker, server: server.url, state: 'running', ...(latest === undefined ? {} : { progress: latest }) }, signal)
    } catch (error) {
      if (error instanceof RefusedError && (error.status === 409 || error.status === 410)) onLost(error)
      else if (!signal.aborted) log.warn({ reason: (error as Error).message }, 'the first computer does not take a report; the job goes on')
    }
  }
  const timer = setInterval(() => {
    // One after the other: a slow answer must not make reports overtake each other.
    sending = sending.then(send)
  }, progressEveryMs)

  return {
    progress(progress) {
      latest = progress
      changed = true
    },
    line: (text) => void lines.push(text),
    async finish(report) {
      clearInterval(timer)
      await sending
      await sendLog().catch((error: Error) => log.warn({ reason: error.message }, 'the end of the log was not taken'))
      if (report !== undefined) await server.report(report, signal)
    },
  }
}
