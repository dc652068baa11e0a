import { setTimeout as sleep } from 'node:timers/promises'
import { OutageError } from './answer-errors.ts'
import { backoffMs } from './backoff.ts'

export interface KeepTryingOptions {
  /** Ends the waiting; its reason is thrown. */
  signal: AbortSignal
  /** Called after each try that failed, with the wait until the next. */
  onOutage?: (error: OutageError, againInMs: number) => void
}

/** A server that is away is asked again this soon, and at least this often: it is back before a person has looked up why it was gone. */
export const awayBackoff = { firstMs: 500, capMs: 10_000 }

/** Asks until there is an answer. Only an `OutageError` is worth another try: any other, a refusal above all, is thrown at once. */
export async function keepTrying<Result>(act: () => Promise<Result>, { signal, onOutage }: KeepTryingOptions): Promise<Result> {
  for (let failures = 1; ; failures++) {
    try {
      return await act()
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof OutageError)) throw error
      const againInMs = backoffMs(failures, awayBackoff)
      onOutage?.(error, Math.round(againInMs))
      await sleep(againInMs, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
}
