import type { Hop } from '../api/event.ts'
import type { MachineCard, MachineState } from '../api/overview.ts'
import type { MachineRecord } from '../machine-store.ts'
import type { Journey } from './advance-journey.ts'

/** A machine that boots says something every few seconds; after so long without a word it is taken to have stopped. In milliseconds. */
export const silentMs = 180_000

const stateOfHop: Record<Hop, MachineState> = {
  'dhcp-discover': 'booting',
  'dhcp-offer': 'booting',
  'dhcp-ack': 'booting',
  'dhcp-refused': 'booting',
  'dhcp-declined': 'booting',
  'dhcp-elsewhere': 'booting',
  'tftp-asked': 'booting',
  tftp: 'booting',
  'tftp-stalled': 'booting',
  'tftp-refused': 'booting',
  http: 'booting',
  'boot-script': 'booting',
  admission: 'booting',
  'ticket-refused': 'booting',
  kernel: 'booting',
  initramfs: 'booting',
  stage2: 'booting',
  'broken-off': 'booting',
  credential: 'booting',
  'local-disk': 'settled',
  worker: 'waiting',
  claim: 'working',
  plan: 'working',
  component: 'working',
  step: 'working',
  image: 'waiting',
  proof: 'waiting',
  performed: 'waiting',
  failed: 'stopped',
  lost: 'stopped',
}

/** A machine as the console shows it at a moment. */
export function renderMachineCard({ id, inventory, admission, scratchSerials, labels, system }: MachineRecord, journey: Journey | undefined, nowMs: number): MachineCard {
  const standing = admission?.state === 'waiting' ? 'asking' : admission?.state === 'refused' ? 'refused' : undefined
  const stopped = journey === undefined || standing !== undefined ? undefined : whyStopped(journey, nowMs)
  return {
    id,
    state: standing ?? (journey === undefined ? 'unseen' : stopped === undefined ? stateOfHop[journey.hop] : 'stopped'),
    ...(journey === undefined ? {} : renderJourney(journey)),
    ...(stopped === undefined ? {} : { stopped }),
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

function renderJourney({ hop, sinceMs, bootedMs, address, job, progress, bytesPerSecond }: Journey): Partial<MachineCard> {
  return {
    hop,
    since: new Date(sinceMs).toISOString(),
    bootedAt: new Date(bootedMs).toISOString(),
    ...(address === undefined ? {} : { address }),
    ...(job === undefined ? {} : { job }),
    ...(progress === undefined ? {} : { progress }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
  }
}

function whyStopped({ hop, heardMs, note, failure }: Journey, nowMs: number): MachineCard['stopped'] {
  if (hop === 'failed' || hop === 'lost') {
    const why = failure === undefined ? (note ?? 'its job failed') : `${failure.step}: ${failure.message}`
    return { why, ...(failure === undefined ? {} : { failure }) }
  }
  if (stateOfHop[hop] !== 'booting' || nowMs - heardMs < silentMs) return undefined
  return { why: note ?? 'nothing was heard of it since' }
}
