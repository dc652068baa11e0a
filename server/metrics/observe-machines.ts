import { Gauge } from 'prom-client'
import type { Hop } from '../api/event.ts'
import type { EventLog } from '../event-log.ts'
import type { MachineStore } from '../machine-store.ts'
import type { Metrics } from './create-metrics.ts'

/** What a machine does after a hop, for who counts machines. */
const stateAfter = {
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
  // It waits to be admitted, or to ask again after that.
  admission: 'waiting',
  'boot-script': 'booting',
  kernel: 'booting',
  initramfs: 'booting',
  stage2: 'booting',
  'broken-off': 'booting',
  credential: 'booting',
  'local-disk': 'local-disk',
  worker: 'idle',
  claim: 'working',
  plan: 'working',
  component: 'working',
  step: 'working',
  image: 'idle',
  performed: 'idle',
  failed: 'failed',
  lost: 'lost',
  // Of an image that this machine made a while ago: says nothing of the machine.
  proof: undefined,
  // Of who showed the ticket or asked for one, which need not be the machine.
  'ticket-refused': undefined,
  'script-refused': undefined,
} as const satisfies Record<Hop, string | undefined>
type MachineState = NonNullable<(typeof stateAfter)[Hop]> | 'unseen'

const states: readonly MachineState[] = ['waiting', 'booting', 'local-disk', 'idle', 'working', 'failed', 'lost', 'unseen']

/** The known machines by what they did last since this server began; `unseen` are those of which nothing was heard. */
export function observeMachines({ registry, readBefore }: Metrics, { events, machines }: { events: Pick<EventLog, 'follow'>; machines: Pick<MachineStore, 'list'> }): void {
  const stateOf = new Map<string, MachineState>()
  events.follow(({ event: { machine, hop } }) => {
    const state = stateAfter[hop]
    if (state !== undefined) stateOf.set(machine, state)
  })
  const count = new Gauge({ name: 'ingot_machines', help: 'Known machines by what they did last since this server began', labelNames: ['state'] as const, registers: [registry] })
  readBefore('machines', async () => {
    count.reset()
    const ids = new Set([...(await machines.list()).map(({ id }) => id), ...stateOf.keys()])
    for (const state of states) count.set({ state }, 0)
    for (const id of ids) count.inc({ state: stateOf.get(id) ?? 'unseen' })
  })
}
