import type { MachineEvent } from '../api/event.ts'

/** What a machine does after a hop, and what is said when nothing follows. */
export interface Stage {
  /** `own-disk`: it runs, or starts, what is on its disk. `idle`: its worker waits for a job. */
  state: 'on-its-way' | 'idle' | 'working' | 'own-disk'
  /** For people, for example `fetches the kernel`. */
  doing: string
  /** When it counts as stopped; without it, it may stay like this. */
  stops?: {
    afterSeconds: number
    /** What happened, for example `was offered 10.77.0.100 three times and never asked for it`. */
    happened: string
    /** The likely cause and what to look at. */
    cause: string
  }
}

/** What a stage is judged by. */
export interface StageFacts<Event extends MachineEvent = MachineEvent> {
  /** The last event that tells where the machine is. */
  event: Event
  /** All events of this boot, oldest first. */
  boot: readonly MachineEvent[]
}

/** The stage after each kind of event. */
export type Stages<Hop extends MachineEvent['hop']> = { [Each in Hop]: (facts: StageFacts<Extract<MachineEvent, { hop: Each }>>) => Stage }

/** `once`, `twice`, `three times`, … */
export const times = (count: number): string => ['never', 'once', 'twice', 'three times', 'four times', 'five times'][count] ?? `${count} times`
