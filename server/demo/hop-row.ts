import type { Hop, MachineEvent } from '../api/event.ts'
import { describeEvent } from '../timeline/describe-event.ts'

/** Told by a later hop (an offer by its acknowledgement), or as the journey of a machine of its own (a proof). */
const untold: readonly Hop[] = ['dhcp-offer', 'tftp-asked', 'credential', 'step', 'proof', 'lost']
const tones: Partial<Record<Hop, 'good' | 'bad'>> = {
  ...{ 'dhcp-discover': 'bad', 'dhcp-refused': 'bad', 'dhcp-declined': 'bad', 'tftp-stalled': 'bad', 'tftp-refused': 'bad' },
  ...{ 'broken-off': 'bad', 'ticket-refused': 'bad', 'script-refused': 'bad', failed: 'bad', performed: 'good' },
}

/** What a hop is called for people, and what is worth knowing of it; undefined for what the demo does not tell. */
export function hopRow(event: MachineEvent): { what: string; detail: string; tone?: 'good' | 'bad' } | undefined {
  if (untold.includes(event.hop) || (event.hop === 'dhcp-discover' && event.note === undefined)) return undefined
  const tone = event.hop === 'admission' && event.state !== 'admitted' ? 'bad' : tones[event.hop]
  return { ...describeEvent(event), ...(tone === undefined ? {} : { tone }) }
}
