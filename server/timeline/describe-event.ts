import prettyBytes from 'pretty-bytes'
import type { MachineEvent } from '../api/event.ts'
import { renderSeconds } from './render-time.ts'

/** What a hop is called for people, and what is worth knowing of it, for example `{ what: 'TFTP', detail: 'undionly.kpxe, 74.2 kB in 0.2 s, 412 kB/s' }`. */
export function describeEvent(event: MachineEvent): { what: string; detail: string } {
  switch (event.hop) {
    case 'dhcp-discover':
      return { what: 'DHCP asked', detail: [event.architecture === 'none' ? 'an operating system' : event.architecture, event.note].filter(Boolean).join(': ') }
    case 'dhcp-offer':
      return { what: 'DHCP offer', detail: bootOffer(event) }
    case 'dhcp-ack':
      return { what: 'DHCP', detail: bootOffer(event) }
    case 'dhcp-refused':
      return { what: 'DHCP refused', detail: event.reason }
    case 'dhcp-declined':
      return { what: 'DHCP declined', detail: `found ${event.address} in use by another` }
    case 'dhcp-elsewhere':
      return { what: 'DHCP elsewhere', detail: `took ${event.address || 'an address'} of ${event.server}` }
    case 'tftp-asked':
      return { what: 'TFTP asked', detail: event.found ? event.file : `${event.file}, which is not served` }
    case 'tftp':
      return { what: 'TFTP', detail: `${event.file}, ${transfer(event)}` }
    case 'tftp-stalled':
      return { what: 'TFTP stalled', detail: `${event.file}, ${event.block === 0 ? 'the options' : `block ${event.block}`} not acknowledged` }
    case 'tftp-refused':
      return { what: 'TFTP broken off', detail: `${event.file}, the machine said: ${event.message || 'nothing'}` }
    case 'http':
      return { what: 'HTTP', detail: `${event.file}, ${transfer(event)}` }
    case 'admission':
      return { what: 'admission', detail: event.state === 'waiting' ? `waits: ingot machine admit ${event.machine}` : `${event.state} by ${event.by}` }
    case 'boot-script':
      return { what: 'boot script', detail: `asked for by ${event.address}` }
    case 'script-refused':
      return { what: 'boot script', detail: `refused to ${event.address}: ${event.why}` }
    case 'local-disk':
      return { what: 'local disk', detail: event.why }
    case 'kernel':
    case 'initramfs':
      return { what: event.hop, detail: transfer(event) }
    case 'stage2':
      return { what: 'stage 2', detail: transfer(event) }
    case 'broken-off':
      return { what: 'broken off', detail: `${event.file}, after ${prettyBytes(event.bytes)} of ${prettyBytes(event.sizeBytes)}` }
    case 'credential':
      return { what: 'credential', detail: 'of its own, for the ticket of the boot script' }
    case 'ticket-refused':
      return { what: 'ticket', detail: `refused to ${event.address}: ${event.why}` }
    case 'worker':
      return { what: 'worker', detail: describeMachine(event.inventory) }
    case 'claim':
      return { what: 'claim', detail: `job ${event.job}` }
    case 'plan':
      return { what: 'plan', detail: `job ${event.job}` }
    case 'component':
      return { what: `component ${event.name}`, detail: transfer(event) }
    case 'step': {
      const { stepIndex, stepCount, step, doneBytes, detail } = event.progress
      return { what: `${stepIndex + 1}/${stepCount} ${step}`, detail: [doneBytes === undefined || doneBytes === 0 ? '' : prettyBytes(doneBytes), detail].filter(Boolean).join(', ') }
    }
    case 'image':
      return { what: 'image', detail: `${event.image}:${event.version}, ${prettyBytes(event.blobBytes)} for a disk of ${prettyBytes(event.diskBytes, { binary: true })}` }
    case 'proof':
      return { what: 'proof', detail: [event.boot?.firmware, event.event.kind].filter(Boolean).join(', ') }
    case 'performed':
      return { what: 'performed', detail: `job ${event.job}` }
    case 'failed':
      return { what: 'failed', detail: `${event.failure.step}: ${event.failure.message}` }
    case 'lost':
      return { what: 'lost', detail: `job ${event.job}: ${event.loss}` }
  }
}

/** The query of a URL, which iPXE fills in, is of no use to people. */
const bootOffer = ({ address, file }: { address: string; file: string }): string =>
  [address, file === '' ? (address === '' ? 'invited to port 4011' : '') : `boots from ${file.replace(/\?.*/, '')}`].filter(Boolean).join(', ')

/** Bytes, time and rate of a transfer: `8.2 MB in 1.2 s, 6.9 MB/s`. */
function transfer({ bytes, ms }: { bytes: number; ms: number }): string {
  const rate = ms > 0 ? `, ${prettyBytes((bytes * 1000) / ms)}/s` : ''
  return `${prettyBytes(bytes)} in ${renderSeconds(ms)}${rate}`
}

function describeMachine({ manufacturer, model, cpu, memoryBytes, disks }: Extract<MachineEvent, { hop: 'worker' }>['inventory']): string {
  const cores = cpu.cores === 1 ? '1 core' : `${cpu.cores} cores`
  const drives = disks.map((disk) => `${disk.device} ${prettyBytes(disk.sizeBytes, { binary: true })}`)
  return [[manufacturer, model].filter(Boolean).join(' '), cores, prettyBytes(memoryBytes, { binary: true }), ...drives].filter(Boolean).join(', ')
}
