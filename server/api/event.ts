import type { Inventory } from './machine.ts'
import type { Loss } from './history.ts'
import type { ProofBoot, ProofEvent } from './proof.ts'
import type { Progress, Failure } from './status.ts'

/** Where a machine is on its way, in order (F8). */
export type Hop =
  | 'dhcp-discover'
  | 'dhcp-offer'
  | 'dhcp-ack'
  | 'dhcp-refused'
  | 'dhcp-declined'
  | 'dhcp-elsewhere'
  | 'tftp-asked'
  | 'tftp'
  | 'tftp-stalled'
  | 'tftp-refused'
  | 'http'
  | 'admission'
  | 'script-refused'
  | 'boot-script'
  | 'local-disk'
  | 'kernel'
  | 'initramfs'
  | 'stage2'
  | 'broken-off'
  | 'credential'
  | 'ticket-refused'
  | 'worker'
  | 'claim'
  | 'plan'
  | 'component'
  | 'step'
  | 'image'
  | 'proof'
  | 'performed'
  | 'failed'
  | 'lost'

/**
 * One thing that happened to one machine, for example
 * `{ time: '2026-11-23T21:20:01.123Z', machine: '52-54-00-12-34-56', hop: 'tftp', file: 'undionly.kpxe', bytes: 74213, ms: 180 }`.
 * Sent on `GET /events` as server-sent events, kept in `events.ndjson`.
 */
export type MachineEvent = { time: string; machine: string } & (
  /** `note` says why nothing is offered to it, or nothing to boot. */
  | { hop: 'dhcp-discover'; architecture: string; vendorClass: string; address: string; note?: string }
  /** `address` is empty where another server gives it, `file` also where the machine is invited to ask for it on port 4011. */
  | { hop: 'dhcp-offer'; address: string; file: string }
  | { hop: 'dhcp-ack'; address: string; file: string }
  /** It asked for an address that it cannot have here. */
  | { hop: 'dhcp-refused'; reason: string }
  /** It found the address that it was given in use by another. */
  | { hop: 'dhcp-declined'; address: string }
  /** It took an address of another DHCP server. */
  | { hop: 'dhcp-elsewhere'; address: string; server: string }
  /** `found` is false for a file that is not served. */
  | { hop: 'tftp-asked'; file: string; found: boolean }
  | { hop: 'tftp'; file: string; bytes: number; ms: number }
  /** Seconds have gone by without an acknowledgement of this block (0: of the options), after it `asked` so often from one port; it may go on yet. */
  | { hop: 'tftp-stalled'; file: string; block: number; asked: number }
  /** It broke off the transfer, with these words. */
  | { hop: 'tftp-refused'; file: string; message: string }
  /** A boot file by UEFI HTTP boot. */
  | { hop: 'http'; file: string; bytes: number; ms: number }
  /** `waiting`: it asked what to boot and is not admitted; the others are what `by`, a token's name, decided. */
  | { hop: 'admission'; state: 'waiting'; address: string }
  | { hop: 'admission'; state: 'admitted' | 'refused'; by: string }
  /** Somebody asked for its boot script, with a ticket, from an address that the machine cannot have. */
  | { hop: 'script-refused'; address: string; why: string }
  | { hop: 'boot-script'; address: string }
  /** It was told to boot its own disk. */
  | { hop: 'local-disk'; address: string; why: string }
  | { hop: 'kernel' | 'initramfs' | 'stage2'; bytes: number; ms: number }
  /** A download by HTTP that the machine did not take to its end. */
  | { hop: 'broken-off'; file: string; bytes: number; sizeBytes: number }
  /** Its worker exchanged the ticket of the boot script for a credential. */
  | { hop: 'credential' }
  /** Its ticket was shown again from this address: the answer to the first time was lost, or somebody else has read it. */
  | { hop: 'ticket-refused'; address: string; why: string }
  | { hop: 'worker'; inventory: Inventory }
  | { hop: 'claim'; job: string }
  | { hop: 'plan'; job: string }
  | { hop: 'component'; job: string; name: string; bytes: number; ms: number }
  | { hop: 'step'; job: string; progress: Progress }
  | { hop: 'image'; job: string; image: string; version: string; digest: string; blobBytes: number; diskBytes: number }
  /** Of a copy of the image that this machine made; without `boot` of what comes before the first boot. */
  | { hop: 'proof'; job: string; boot?: ProofBoot; event: ProofEvent }
  | { hop: 'performed'; job: string }
  | { hop: 'failed'; job: string; failure: Failure }
  /** The claim of this machine ended without an image: it may not write for this job any more (F5). */
  | { hop: 'lost'; job: string; loss: Loss; failure?: Failure }
)
