/** What `bench console` was asked for. */
export interface ConsoleBenchOptions {
  machines: number
  jobs: number
  /** How often each side is measured, in turn. */
  rounds: number
  /** One line of JSON in place of the table. */
  json: boolean
}

/** Of one page in one round, in milliseconds. */
export interface PageTimes {
  /** From the address being entered until the first machine is painted, and until the first job is when that is looked at. */
  rackMs: number
  jobsMs: number
  /** From a change that the server was asked for until it is painted. */
  updateMs: number
}

/** The console, and the same as a plain page that is read anew for every change; one right after the other. */
export interface ConsoleRound {
  console: PageTimes
  plain: PageTimes
}
