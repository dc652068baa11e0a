import type { MachineEvent } from '../api/event.ts'
import type { Accelerator } from '../rack/accelerator.ts'
import type { Machine } from '../rack/machine.ts'
import { MachineFailure } from '../rack/machine-failure.ts'
import type { EventFeed } from './event-feed.ts'
import { describeHop, stallLimit } from './stall.ts'

export interface WatchOptions {
  machine: Machine
  feed: EventFeed
  accelerator: Accelerator
  /** Called with each event of the machine, in order. */
  onEvent: (event: MachineEvent) => void
  signal: AbortSignal
}

/**
 * Follows one machine until its image was received, and gives that. Throws a `MachineFailure` that names the last hop
 * when the job fails, the machine goes off, or nothing more is heard of it, and `signal`'s reason when it is aborted.
 */
export function watchMachine({ machine, feed, accelerator, onEvent, signal }: WatchOptions): Promise<Extract<MachineEvent, { hop: 'image' }>> {
  return new Promise((resolve, reject) => {
    let last: MachineEvent | undefined
    let timer: NodeJS.Timeout | undefined
    const settle = (end: () => void): void => {
      clearTimeout(timer)
      unfollow()
      signal.removeEventListener('abort', onAbort)
      end()
    }
    const fail = (message: string): void => settle(() => reject(new MachineFailure(machine.name, message, machine.console)))
    const onAbort = (): void => settle(() => reject(signal.reason))
    const expect = (): void => {
      clearTimeout(timer)
      const { missing, limitMs } = stallLimit(last?.hop ?? 'power-on', accelerator)
      if (Number.isFinite(limitMs)) timer = setTimeout(() => fail(`stopped after ${describeHop(last)}: ${missing} within ${limitMs / 1000} s`), limitMs)
    }
    const unfollow = feed.follow(machine.id, (event) => {
      onEvent(event)
      // An address is renewed at any time, which says nothing of how far the machine is.
      if (last === undefined || !event.hop.startsWith('dhcp-') || last.hop.startsWith('dhcp-')) last = event
      if (event.hop === 'failed') return fail(`failed its job in ${event.failure.step}: ${event.failure.message}`)
      if (event.hop === 'image') return settle(() => resolve(event))
      expect()
    })
    signal.addEventListener('abort', onAbort, { once: true })
    void machine.ended.then(({ exitCode, signal: by, lastLines }) => fail(`went off after ${describeHop(last)}: ${lastLines.at(-1) ?? by ?? `exit code ${exitCode}`}`))
    if (signal.aborted) onAbort()
    else expect()
  })
}
