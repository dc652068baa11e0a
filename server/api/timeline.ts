import type { Hop, MachineEvent } from './event.ts'

/** Where a machine is now, and why it stopped if it did (F8). */
export interface MachineStanding {
  /** `idle`: its worker waits for a job. `own-disk`: it runs, or starts, what is on its disk. `stopped`: nothing followed when something should have. */
  state: 'on-its-way' | 'idle' | 'working' | 'own-disk' | 'stopped'
  /** The last hop that counts, and when. */
  hop: Hop
  since: string
  /** For people: what it does, or where it stopped, for example `fetches stage 2`. */
  what: string
  /** The likely cause, and what to look at; of one that stopped. */
  cause?: string
}

/** Answer to `GET /timelines.json`: every machine that was heard of, by id. */
export interface TimelinesAnswer {
  version: 1
  machines: { machine: string; now: MachineStanding }[]
}

/** Answer to `GET /machines/<id>/timeline`: the hops of one machine, oldest first; of the steps of a job the latest word each. */
export interface TimelineAnswer {
  version: 1
  machine: string
  now: MachineStanding
  events: MachineEvent[]
}
