import type { Writable } from 'node:stream'
import type { Logger } from 'pino'
import type { Run, Start } from '../../appliance/run.ts'

/** What commands touch; `main.ts` passes the real ones. */
export interface CommandContext {
  run: Run
  start: Start
  log: Logger
  /** Prints one line of result on standard output. */
  print: (line: string) => void
  /** Standard output, for what is not lines. */
  output: Writable
  /** Tells people what goes on, on standard error. */
  say: (line: string) => void
  /** Shows a line on the terminal of standard error that the next one replaces, and nothing for `undefined`; missing or `undefined` when it is none. */
  showBar?: ((line: string | undefined) => void) | undefined
  /** Aborted by Ctrl-C or SIGTERM, with the signal's name as reason. */
  signal: AbortSignal
  env: NodeJS.ProcessEnv
  /** Columns of the terminal that `print` writes to; unknown when it is none. */
  columns: number | undefined
  /** Sets the exit code of the process. */
  exit: (code: number) => void
}
