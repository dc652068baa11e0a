import { RefusedError, type OutageError } from './answer-errors.ts'
import { keepTrying } from './keep-trying.ts'

/** How often a blob is sent that arrives as another one. */
const mostSends = 3

export interface PushBlobOptions {
  send: () => Promise<void>
  isThere: () => Promise<boolean>
  signal: AbortSignal
  onOutage: (error: OutageError, againInMs: number) => void
  /** Called when other bytes arrived than were sent, and they are sent again. */
  onDamage: (error: RefusedError) => void
}

/**
 * Sends a blob until the server has it. After an outage the server is asked first: what arrived before the answer was lost is not sent again (F9).
 * A blob that was damaged on the way, by what TCP's checksum of 16 bits does not find, does not end a job of hours either; one that is always refused does.
 */
export async function pushBlob({ send, isThere, signal, onOutage, onDamage }: PushBlobOptions): Promise<void> {
  let sends = 0
  const sendUnlessThere = async (): Promise<void> => {
    if (sends > 0 && (await isThere())) return
    sends++
    await send()
  }
  for (let damaged = 1; ; damaged++) {
    try {
      return await keepTrying(sendUnlessThere, { signal, onOutage })
    } catch (error) {
      if (!(error instanceof RefusedError) || error.code !== 'DIGEST_INVALID' || damaged === mostSends) throw error
      onDamage(error)
    }
  }
}
