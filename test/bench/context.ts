import type { Logger } from 'pino'
import type { Run, Start } from '../../appliance/run.ts'

/** What the benchmarks touch; `main` passes the real ones. */
export interface BenchContext {
  run: Run
  start: Start
  /** A line on standard error, for people who wait. */
  say: (line: string) => void
  log: Logger
  signal: AbortSignal
  /** Sets the exit code of the process. */
  exit: (code: number) => void
}
