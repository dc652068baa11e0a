import type { Logger } from 'pino'
import { RefusedError } from './answer-errors.ts'
import type { ClaimRecord, ClaimRecords } from './claim-records.ts'
import type { ServerConnection } from './connect-server.ts'
import { keepTrying } from './keep-trying.ts'

export interface GiveBackOptions {
  servers: readonly ServerConnection[]
  records: ClaimRecords
  log: Logger
  signal: AbortSignal
}

/**
 * Gives a job back that this worker holds, or may hold, and does not perform: tried until the server has taken it or says that the claim has ended, which
 * may be long after. The record of the claim goes with it.
 */
export async function giveBack(record: ClaimRecord, { servers, records, log, signal }: GiveBackOptions): Promise<void> {
  const { job } = record
  const server = servers.find(({ url }) => url === record.server)
  const onOutage = (error: Error, againInMs: number) => log.warn({ job, reason: error.message, againInMs }, 'the job is not given back yet')
  try {
    if (server === undefined) log.warn({ job, server: record.server }, 'the server of an earlier claim is not on the way any more')
    else {
      await keepTrying(() => server.giveBack(job, record.claim, signal), { signal, onOutage })
      log.warn({ job }, 'gave a job back')
    }
  } catch (error) {
    if (signal.aborted) return
    if (!(error instanceof RefusedError)) throw error
    log.info({ job, reason: error.message }, 'the claim had ended already')
  }
  records.remove(record)
}
