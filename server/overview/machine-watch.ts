import type { MachineEvent } from '../api/event.ts'
import { diagnoseMachine } from '../timeline/diagnose.ts'
import type { MachineHistories } from '../timeline/machine-histories.ts'
import { advanceJourney, type Journey } from './advance-journey.ts'
import type { Heard } from './render-machine-card.ts'

/** Without news a machine is judged anew so often, in milliseconds: one that should have gone on may have stopped. */
const judgedAnewMs = 5000

/** What was heard of each machine: from the kept events, and from what happens now. */
export interface MachineWatch {
  /** Takes up the kept events, once, and what was written since. */
  refresh(): Promise<void>
  advance(event: MachineEvent): void
  machines(): string[]
  of(machine: string, nowMs: number): Heard | undefined
}

export function createMachineWatch(histories: MachineHistories): MachineWatch {
  const journeys = new Map<string, Journey>()
  const judged = new Map<string, { latest: MachineEvent | undefined; atMs: number; standing: Heard['standing'] }>()
  let isBegun = false

  const standingOf = (machine: string, nowMs: number): Heard['standing'] | undefined => {
    const events = histories.of(machine)
    const latest = events.at(-1)
    const known = judged.get(machine)
    if (known !== undefined && known.latest === latest && nowMs - known.atMs < judgedAnewMs) return known.standing
    const standing = diagnoseMachine(events, nowMs)
    if (standing !== undefined) judged.set(machine, { latest, atMs: nowMs, standing })
    return standing
  }

  return {
    async refresh() {
      await histories.refresh()
      if (isBegun) return
      isBegun = true
      for (const machine of histories.machines()) {
        // What happened while they were read is in both.
        const kept = histories.of(machine).reduce<Journey | undefined>(advanceJourney, undefined)
        if (kept !== undefined && (journeys.get(machine)?.heardMs ?? 0) <= kept.heardMs) journeys.set(machine, kept)
      }
    },
    advance: (event) => void journeys.set(event.machine, advanceJourney(journeys.get(event.machine), event)),
    machines: () => [...journeys.keys()],
    of(machine, nowMs) {
      const [journey, standing] = [journeys.get(machine), standingOf(machine, nowMs)]
      return journey === undefined || standing === undefined ? undefined : { journey, standing }
    },
  }
}
