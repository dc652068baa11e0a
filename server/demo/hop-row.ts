import prettyBytes from 'pretty-bytes'
import type { MachineEvent } from '../api/event.ts'
import { renderSeconds } from './render-time.ts'

/** What a hop is called for people, and what is worth knowing of it; undefined for what is told by a later hop (an offer by its acknowledgement). */
export function hopRow(event: MachineEvent): { what: string; detail: string; tone?: 'good' | 'bad' } | undefined {
  switch (event.hop) {
    case 'dhcp-discover':
      return event.note === undefined ? undefined : { what: 'DHCP', detail: event.note, tone: 'bad' }
    case 'dhcp-offer':
    case 'step':
    // Told as the journey of a machine of its own.
    case 'proof':
      return undefined
    case 'dhcp-ack':
      return { what: 'DHCP', detail: event.file === '' ? event.address : `${event.address}, boots from ${event.file.replace(/\?.*/, '')}` }
    case 'tftp':
      return { what: 'TFTP', detail: `${event.file}, ${transfer(event)}` }
    case 'boot-script':
      return { what: 'boot script', detail: `asked for by ${event.address}` }
    case 'admission':
      return { what: 'admission', detail: event.state === 'waiting' ? `waits: ingot machine admit ${event.machine}` : event.state, ...(event.state === 'admitted' ? {} : { tone: 'bad' }) }
    case 'ticket-refused':
      return { what: 'ticket', detail: `refused to ${event.address}: ${event.why}`, tone: 'bad' }
    case 'local-disk':
      return { what: 'local disk', detail: event.why }
    case 'kernel':
    case 'initramfs':
      return { what: event.hop, detail: transfer(event) }
    case 'stage2':
      return { what: 'stage 2', detail: transfer(event) }
    case 'worker':
      return { what: 'worker', detail: describeMachine(event.inventory) }
    case 'claim':
      return { what: 'claim', detail: `job ${event.job}` }
    case 'plan':
      return { what: 'plan', detail: '' }
    case 'component':
      return { what: `component ${event.name}`, detail: transfer(event) }
    case 'image':
      return { what: 'image', detail: `${event.image}:${event.version}, ${prettyBytes(event.blobBytes)} for a disk of ${prettyBytes(event.diskBytes, { binary: true })}` }
    case 'performed':
      return { what: 'performed', detail: `job ${event.job}`, tone: 'good' }
    case 'failed':
      return { what: 'failed', detail: `${event.failure.step}: ${event.failure.message}`, tone: 'bad' }
  }
}

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
