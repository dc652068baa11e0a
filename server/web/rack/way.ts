import type { Hop } from '../../api/event.ts'
import type { MachineCard } from '../../api/overview.ts'

/** The stations of a machine on its way from power-on to image. */
export const stations = ['DHCP', 'TFTP', 'script', 'kernel', 'stage 2', 'worker', 'job', 'image'] as const

const stationOfHop: Partial<Record<Hop, (typeof stations)[number]>> = {
  'dhcp-discover': 'DHCP',
  'dhcp-offer': 'DHCP',
  'dhcp-ack': 'DHCP',
  'dhcp-refused': 'DHCP',
  'dhcp-declined': 'DHCP',
  'dhcp-elsewhere': 'DHCP',
  'tftp-asked': 'TFTP',
  tftp: 'TFTP',
  'tftp-stalled': 'TFTP',
  'tftp-refused': 'TFTP',
  http: 'TFTP',
  'boot-script': 'script',
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

const words: Partial<Record<Hop, string>> = {
  'dhcp-discover': 'asks for an address',
  'dhcp-offer': 'was offered an address',
  'dhcp-ack': 'has an address',
  tftp: 'loaded its boot program',
  'boot-script': 'asked for its boot script',
  admission: 'waits to be admitted',
  kernel: 'loads the kernel',
  initramfs: 'starts the kernel',
  stage2: 'loads stage 2',
  'local-disk': 'boots its own disk',
  worker: 'worker asks for jobs',
  claim: 'took a job',
  plan: 'reads the script of its job',
  component: 'downloads what its job needs',
  step: 'performs its job',
  image: 'its image was received',
  performed: 'has performed its job',
  failed: 'its job failed',
  lost: 'lost its job',
}

/** A hop in words. */
export const wordsOf = (hop: Hop): string => words[hop] ?? hop.replaceAll('-', ' ')
