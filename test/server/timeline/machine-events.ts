import type { MachineEvent } from '../../../server/api/event.ts'
import type { NewMachineEvent } from '../../../server/event-log.ts'

export const machine = '52-54-00-12-34-56'
type Hop = NewMachineEvent extends infer Each ? (Each extends NewMachineEvent ? Omit<Each, 'machine'> & { afterSeconds?: number } : never) : never

export const startMs = Date.parse('2026-11-23T21:20:00.000Z')

/** Events of one machine, each one second after the one before it unless it says otherwise. */
export function eventsOf(hops: readonly Hop[]): MachineEvent[] {
  let ms = startMs - 1000
  return hops.map(({ afterSeconds = 1, ...hop }) => {
    ms += afterSeconds * 1000
    return { time: new Date(ms).toISOString(), machine, ...hop } as MachineEvent
  })
}

export const asked = (architecture = 'BIOS', note?: string): Hop => ({ hop: 'dhcp-discover', architecture, vendorClass: 'PXEClient', address: '', ...(note === undefined ? {} : { note }) })
export const offered = (file: string, address = '10.77.0.100'): Hop => ({ hop: 'dhcp-offer', address, file })
export const given = (file: string, address = '10.77.0.100'): Hop => ({ hop: 'dhcp-ack', address, file })
export const wants = (file: string, found = true): Hop => ({ hop: 'tftp-asked', file, found })
export const sent = (file: string): Hop => ({ hop: 'tftp', file, bytes: 74_213, ms: 180 })
export const stalled = (file: string, block: number, times = 1): Hop => ({ hop: 'tftp-stalled', file, block, asked: times })

const scriptUrl = 'http://10.77.0.1:8080/boot/ipxe?mac=x'
const firmware = [asked(), offered('undionly.kpxe'), given('undionly.kpxe')]
const ipxe = [asked('iPXE on BIOS'), offered(scriptUrl), given(scriptUrl)]
const kernel: Hop[] = [
  { hop: 'kernel', bytes: 8_200_000, ms: 90 },
  { hop: 'initramfs', bytes: 6_700_000, ms: 60 },
]
/** Linux in stage 1 asks for its address. */
const stage1 = [asked('none'), offered(''), given('')]
const inventory = { id: machine, manufacturer: 'QEMU', model: 'pc', cpu: { model: 'cpu', cores: 1 }, memoryBytes: 2 ** 30, disks: [] }

/** The way of a BIOS machine to its worker, up to and with the part named. */
const way = { firmware, tftp: [wants('undionly.kpxe'), sent('undionly.kpxe')], ipxe, script: [{ hop: 'boot-script', address: '10.77.0.100' } as Hop], kernel, stage1, stage2: [{ hop: 'stage2', bytes: 32_000_000, ms: 228 } as Hop], credential: [{ hop: 'credential' } as Hop], worker: [{ hop: 'worker', inventory } as unknown as Hop] }
export function wayTo(last: keyof typeof way): Hop[] {
  const parts = Object.entries(way)
  return parts.slice(0, parts.findIndex(([name]) => name === last) + 1).flatMap(([, hops]) => hops)
}
