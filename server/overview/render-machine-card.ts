import type { MachineCard, MachineState } from '../api/overview.ts'
import type { MachineStanding } from '../api/timeline.ts'
import type { MachineRecord } from '../machine-store.ts'
import type { Journey } from './advance-journey.ts'

const stateOfStanding: Record<MachineStanding['state'], MachineState> = { 'on-its-way': 'booting', idle: 'waiting', working: 'working', 'own-disk': 'settled', stopped: 'stopped' }

/** What was heard of a machine: where that leaves it, and how far it is. */
export interface Heard {
  standing: MachineStanding
  journey: Journey
}

/** A machine as the console shows it; `heard` is undefined when nothing was heard of it. */
export function renderMachineCard({ id, inventory, admission, scratchSerials, labels, system }: MachineRecord, heard: Heard | undefined): MachineCard {
  const decided = admission?.state === 'waiting' ? 'asking' : admission?.state === 'refused' ? 'refused' : undefined
  const state = decided ?? (heard === undefined ? 'unseen' : stateOfStanding[heard.standing.state])
  return {
    id,
    state,
    ...(heard === undefined ? {} : renderHeard(heard, state)),
    ...(inventory === undefined ? {} : { hardware: hardwareOf(inventory) }),
    disks: inventory?.disks ?? [],
    scratchSerials,
    labels,
    ...(system === undefined ? {} : { system }),
  }
}

const hardwareOf = ({ firmware, manufacturer, model, serial, cpu, memoryBytes, secureBoot, nics, workerVersion }: NonNullable<MachineRecord['inventory']>) => ({
  ...{ firmware, manufacturer, model, serial, cpu, memoryBytes, secureBoot, nics, workerVersion },
})

function renderHeard({ standing, journey }: Heard, state: MachineState): Partial<MachineCard> {
  const { hop, since, what, cause } = standing
  const { bootedMs, address, job, progress, bytesPerSecond, failure } = journey
  return {
    ...{ hop, since, what, bootedAt: new Date(bootedMs).toISOString() },
    ...(address === undefined ? {} : { address }),
    ...(job === undefined ? {} : { job }),
    ...(progress === undefined ? {} : { progress }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
    ...(state === 'stopped' ? { stopped: { ...(cause === undefined ? {} : { cause }), ...(failure === undefined ? {} : { failure }) } } : {}),
  }
}
