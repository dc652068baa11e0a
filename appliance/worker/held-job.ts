import type { ServerConnection } from './connect-server.ts'

/** A job that this worker holds. */
export interface HeldJob {
  server: ServerConnection
  job: string
  /** The claim token, and its hash as the status shows it. */
  claim: string
  claimHash: string
  imageVersion: string
  /** When the time limit of the job is over, on the clock of `performance.now()`, which no change of the date moves. */
  endsAt: number
}
