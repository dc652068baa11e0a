import type { Machine } from './machine.ts'
import { MachineFailure } from './machine-failure.ts'

export interface WhileOnOptions {
  /** What is waited for, for the failure's message: `no login prompt`. */
  without: string
  limitMs: number
  /** When the limit began, by `performance.now()`, if it is that of the machine as a whole: its power-on. Default now. */
  powerOnMs?: number
  signal: AbortSignal
}

/**
 * Waits for something of a machine for as long as it is on: gives what `wait` gives, and aborts the signal that `wait` gets otherwise.
 * Throws a `MachineFailure` when the machine goes off or `limitMs` passes, `signal`'s reason when it is aborted, and what `wait` throws.
 */
export async function whileOn<Result>(machine: Machine, wait: (signal: AbortSignal) => Promise<Result>, options: WhileOnOptions): Promise<Result> {
  const { without, limitMs, powerOnMs, signal } = options
  const over = new AbortController()
  const fail = (message: string): void => over.abort(new MachineFailure(machine.name, message, machine.console))
  const leftMs = powerOnMs === undefined ? limitMs : Math.max(0, powerOnMs + limitMs - performance.now())
  const timer = setTimeout(() => fail(`stopped: ${without} within ${Math.round(limitMs / 1000)} s${powerOnMs === undefined ? '' : ' of power-on'}`), leftMs)
  void machine.ended.then(({ exitCode, signal: by, lastLines }) => {
    const ending = lastLines.at(-1) ?? (by === undefined ? `exit code ${exitCode}` : by)
    fail(`went off with ${without} (${ending})`)
  })
  const either = AbortSignal.any([over.signal, signal])
  try {
    return await Promise.race([wait(either), rejectionOf(either)])
  } catch (error) {
    // A fetch or a child that was aborted says so in its own words; why it was aborted says more.
    if (either.aborted) throw either.reason
    throw error
  } finally {
    clearTimeout(timer)
  }
}

const rejectionOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
