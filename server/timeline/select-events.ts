import { setImmediate as othersTurn } from 'node:timers/promises'
import type { MachineEvent } from '../api/event.ts'
import { splitBoots } from './split-boots.ts'

/** What of the events of all machines is kept. */
export interface EventLimits {
  /** The latest boots of each machine, for example 5. */
  bootsPerMachine: number
  /** Of all machines together, as lines. Where that is too little for the boots, fewer are kept; for one of each, the machines heard of last. */
  totalBytes: number
}

interface Line {
  /** The latest moment that its machine had told of by then, so that a clock that was set back mixes up no machine's events. */
  time: string
  text: string
}

const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0)

/** The lines that are kept, oldest first. `machines` are in the order in which they were last heard of. Others get their turn between machines. */
export async function selectEvents(machines: ReadonlyMap<string, readonly MachineEvent[]>, { bootsPerMachine, totalBytes }: EventLimits): Promise<string[]> {
  const ofMachines: { lines: Line[][]; sizes: number[] }[] = []
  for (const events of machines.values()) {
    const lines = linesOf(splitBoots(events).slice(-bootsPerMachine))
    ofMachines.push({ lines, sizes: lines.map((boot) => sum(boot.map(({ text }) => Buffer.byteLength(text)))) })
    await othersTurn()
  }
  const bytesWith = (count: number): number => sum(ofMachines.flatMap(({ sizes }) => sizes.slice(-count)))
  let count = bootsPerMachine
  while (count > 1 && bytesWith(count) > totalBytes) count--
  let spareBytes = totalBytes
  const kept = ofMachines.toReversed().filter(({ sizes }) => (spareBytes -= sum(sizes.slice(-count))) >= 0)
  const lines = kept.toReversed().flatMap((each) => each.lines.slice(-count).flat())
  return lines.toSorted((one, other) => (one.time < other.time ? -1 : one.time > other.time ? 1 : 0)).map(({ text }) => text)
}

function linesOf(boots: readonly (readonly MachineEvent[])[]): Line[][] {
  let latest = ''
  return boots.map((boot) =>
    boot.map((event) => {
      if (event.time > latest) latest = event.time
      return { time: latest, text: `${JSON.stringify(event)}\n` }
    }),
  )
}
