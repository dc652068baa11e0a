import type { Hop, MachineEvent } from '../api/event.ts'
import type { Accelerator } from '../rack/accelerator.ts'

/** What a machine is waited for after a hop, and how long, in seconds where KVM runs it. */
const next: Record<Hop | 'power-on', { missing: string; limitSeconds: number }> = {
  'power-on': { missing: 'no DHCP request', limitSeconds: 60 },
  'dhcp-discover': { missing: 'no DHCP request for the address offered', limitSeconds: 45 },
  'dhcp-offer': { missing: 'no DHCP request for the address offered', limitSeconds: 45 },
  'dhcp-refused': { missing: 'no DHCP request', limitSeconds: 60 },
  'dhcp-declined': { missing: 'no DHCP request', limitSeconds: 60 },
  'dhcp-elsewhere': { missing: 'nothing fetched', limitSeconds: 60 },
  'dhcp-ack': { missing: 'nothing fetched', limitSeconds: 60 },
  'tftp-asked': { missing: 'no file taken to its end', limitSeconds: 60 },
  'tftp-stalled': { missing: 'no file taken to its end', limitSeconds: 60 },
  'tftp-refused': { missing: 'no file taken to its end', limitSeconds: 60 },
  http: { missing: 'no boot script asked for', limitSeconds: 60 },
  tftp: { missing: 'no boot script asked for', limitSeconds: 60 },
  admission: { missing: '', limitSeconds: Infinity },
  'script-refused': { missing: 'no boot script asked for from the address that it was given', limitSeconds: 60 },
  'boot-script': { missing: 'no kernel fetched', limitSeconds: 60 },
  'local-disk': { missing: '', limitSeconds: Infinity },
  kernel: { missing: 'no initramfs fetched', limitSeconds: 60 },
  initramfs: { missing: 'no stage 2 fetched', limitSeconds: 60 },
  'broken-off': { missing: 'no further file fetched', limitSeconds: 60 },
  stage2: { missing: 'no worker reported', limitSeconds: 60 },
  credential: { missing: 'no worker reported', limitSeconds: 60 },
  'ticket-refused': { missing: 'no boot after a ticket that was used already', limitSeconds: 60 },
  worker: { missing: 'no job claimed', limitSeconds: 60 },
  claim: { missing: 'no step begun', limitSeconds: 60 },
  plan: { missing: 'no step begun', limitSeconds: 60 },
  component: { missing: 'no step begun', limitSeconds: 60 },
  // The worker tells of itself every 10 s, also within a step where nothing moves.
  step: { missing: 'no word from the worker', limitSeconds: 60 },
  // From here on it is for the first computer to prove what it received.
  image: { missing: '', limitSeconds: Infinity },
  proof: { missing: '', limitSeconds: Infinity },
  performed: { missing: '', limitSeconds: Infinity },
  failed: { missing: '', limitSeconds: Infinity },
  // Another machine may take the job up, after a while.
  lost: { missing: '', limitSeconds: Infinity },
}

/** Emulated machines boot four to ten times as slowly, more when several share the processors. */
const slowness = { kvm: 1, 'tcg,thread=multi': 6 } as const satisfies Record<Accelerator, number>

/** How long a machine may be silent after its last hop, in milliseconds, and what it should have done by then. */
export function stallLimit(hop: Hop | 'power-on', accelerator: Accelerator): { missing: string; limitMs: number } {
  const { missing, limitSeconds } = next[hop]
  return { missing, limitMs: limitSeconds * 1000 * slowness[accelerator] }
}

/** A hop for people, in the words of the log: `tftp undionly.kpxe`, `step 3/7 install-rootfs`. */
export function describeHop(event: MachineEvent | undefined): string {
  if (event === undefined) return 'power-on'
  switch (event.hop) {
    case 'http':
    case 'tftp':
    case 'tftp-asked':
      return `${event.hop} ${event.file}`
    case 'component':
      return `component ${event.name}`
    case 'step':
      return `step ${event.progress.stepIndex + 1}/${event.progress.stepCount} ${event.progress.step}`
    default:
      return event.hop
  }
}
