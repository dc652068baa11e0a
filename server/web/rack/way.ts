import type { Hop } from '../../api/event.ts'
import type { MachineCard } from '../../api/overview.ts'

/** The stations of a machine on its way from power-on to image. */
export const stations = ['DHCP', 'boot file', 'script', 'kernel', 'stage 2', 'worker', 'job', 'image'] as const

const stationOfHop: Partial<Record<Hop, (typeof stations)[number]>> = {
  'dhcp-discover': 'DHCP',
  'dhcp-offer': 'DHCP',
  'dhcp-ack': 'DHCP',
  'dhcp-refused': 'DHCP',
  'dhcp-declined': 'DHCP',
  'dhcp-elsewhere': 'DHCP',
  'tftp-asked': 'boot file',
  tftp: 'boot file',
  'tftp-stalled': 'boot file',
  'tftp-refused': 'boot file',
  http: 'boot file',
  'boot-script': 'script',
  'script-refused': 'script',
  admission: 'script',
  'ticket-refused': 'script',
  kernel: 'kernel',
  initramfs: 'kernel',
  'broken-off': 'kernel',
  stage2: 'stage 2',
  credential: 'stage 2',
  worker: 'worker',
  claim: 'job',
  plan: 'job',
  component: 'job',
  step: 'job',
  failed: 'job',
  lost: 'job',
  image: 'image',
  performed: 'image',
  proof: 'image',
}

/** Where on the way a machine is; nothing for one that is on no way: sent to its own disk, or never heard of. */
export function stationOf({ hop }: Pick<MachineCard, 'hop'>): number | undefined {
  const station = hop === undefined ? undefined : stationOfHop[hop]
  return station === undefined ? undefined : stations.indexOf(station)
}
