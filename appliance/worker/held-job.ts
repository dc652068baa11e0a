import type { ServerConnection } from './connect-server.ts'

/** A job that this worker holds. */
export interface HeldJob {
  server: ServerConnection
  job: string
  /** The claim token. */
  claim: string
  /** Names this claim on this machine without telling its token. */
  claimId: string
  imageVersion: string
  /** When the time limit of the job is over, on the clock of `performance.now()`, which no change of the date moves. */
  endsAt: number
}
