import { Counter, type Registry } from 'prom-client'
import type { MachineEvent } from '../api/event.ts'
import type { EventLog } from '../event-log.ts'

/** Counts what happens to the machines, from the events of this server since it began. */
export function observeEvents(events: Pick<EventLog, 'follow'>, registry: Registry): void {
  const registers = [registry]
  const dhcp = new Counter({ name: 'ingot_dhcp_messages_total', help: 'DHCP messages: discover (heard), offer and ack (sent)', labelNames: ['type'] as const, registers })
  const tftp = new Counter({ name: 'ingot_tftp_transfers_total', help: 'Files sent whole by TFTP', registers })
  const bytes = new Counter({ name: 'ingot_transferred_bytes_total', help: 'Bytes sent to machines, and of images received from them, as transferred', labelNames: ['kind'] as const, registers })
  const jobs = new Counter({ name: 'ingot_job_events_total', help: 'What became of jobs: claim, image, performed, failed, lost', labelNames: ['event'] as const, registers })

  const count = (event: MachineEvent): void => {
    switch (event.hop) {
      case 'dhcp-discover':
      case 'dhcp-offer':
      case 'dhcp-ack':
      case 'dhcp-refused':
      case 'dhcp-declined':
        return dhcp.inc({ type: event.hop.slice('dhcp-'.length) })
      case 'tftp':
        tftp.inc()
        return bytes.inc({ kind: event.hop }, event.bytes)
      case 'http':
      case 'kernel':
      case 'initramfs':
      case 'stage2':
      case 'component':
        return bytes.inc({ kind: event.hop }, event.bytes)
      case 'image':
        bytes.inc({ kind: event.hop }, event.blobBytes)
        return jobs.inc({ event: event.hop })
      case 'claim':
      case 'performed':
      case 'failed':
      case 'lost':
        return jobs.inc({ event: event.hop })
    }
  }
  events.follow(({ event }) => count(event))
}
