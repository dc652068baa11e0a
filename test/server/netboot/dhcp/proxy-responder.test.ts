import { pino } from 'pino'
import { expect, it } from 'vitest'
import type { PolicyRule } from '../../../../boot/policy.ts'
import type { NewMachineEvent } from '../../../../server/event-log.ts'
import { createProxyResponder } from '../../../../server/netboot/dhcp/proxy-responder.ts'
import type { Arrival } from '../../../../server/netboot/dhcp/question.ts'
import { address, question, type DatagramFields } from './datagram.ts'

const log = pino({ level: 'silent' })
const machine = '02-00-00-00-00-01'
const uefi: DatagramFields['options'] = [
  [60, 'PXEClient:Arch:00007:UNDI:003016'],
  [93, [0, 7]],
]
const on4011: Partial<Arrival> = { port: 4011, isBroadcast: false, peer: { address: '10.77.0.50', port: 68 } }

function setUp(policies: PolicyRule[] = []) {
  const events: NewMachineEvent[] = []
  const { respond, machineAt } = createProxyResponder({ serverAddress: '10.77.0.1', httpUrl: 'http://10.77.0.1:8080', policies }, (event) => void events.push(event))
  const ask = async (fields: DatagramFields, arrival?: Partial<Arrival>) => {
    const reply = await respond(question(fields, arrival), log)
    reply?.onSent()
    return reply
  }
  return { ask, machineAt, events }
}

it('a machine is invited on port 67 and told its file on port 4011, from that port', async () => {
  const { ask, events } = setUp()
  expect(await ask({ options: uefi })).toMatchObject({ fromPort: 67, to: { address: '255.255.255.255', port: 68 }, packet: { file: '' } })
  expect(await ask({ type: 'request', ciaddr: '10.77.0.50', options: uefi }, on4011)).toMatchObject({ fromPort: 4011, to: on4011.peer, packet: { file: 'snponly.efi' } })
  expect(events.map(({ hop }) => hop)).toEqual(['dhcp-discover', 'dhcp-offer', 'dhcp-ack'])
})

it('on port 67 only DISCOVER is answered, for the rest belongs to the DHCP server', async () => {
  const { ask } = setUp()
  for (const type of ['request', 'decline', 'release', 'inform'] as const) expect(await ask({ type, ciaddr: '10.77.0.50', options: uefi })).toBeUndefined()
})

it('on port 4011 REQUEST and INFORM are answered, also of a ROM that says nothing of itself but its architecture', async () => {
  const { ask } = setUp()
  const bare: DatagramFields = { ciaddr: '10.77.0.50', options: [[93, [0, 0]]] }
  for (const type of ['request', 'inform'] as const) expect(await ask({ ...bare, type }, on4011)).toMatchObject({ packet: { file: 'undionly.kpxe' } })
  expect(await ask({ ...bare, type: 'discover' }, on4011)).toBeUndefined()
})

it('operating systems are left alone, and are no event', async () => {
  const { ask, events } = setUp()
  expect(await ask({ options: [[60, 'MSFT 5.0']] })).toBeUndefined()
  expect(events).toEqual([])
})

it('whose an address is it learns from what machines ask of the DHCP server', async () => {
  const { ask, machineAt } = setUp()
  await ask({ type: 'request', options: [[50, address('10.77.0.51')], [54, address('10.77.0.9')]] })
  expect([machineAt('10.77.0.51'), machineAt('10.77.0.52')]).toEqual([machine, undefined])
})

it('F8 where the address of a booting machine comes from is an event of it', async () => {
  const { ask, events } = setUp()
  await ask({ type: 'request', options: [...uefi, [50, address('10.77.0.51')], [54, address('10.77.0.9')]] })
  expect(events).toEqual([{ machine, hop: 'dhcp-elsewhere', address: '10.77.0.51', server: '10.77.0.9' }])
})

it('a machine that cannot be helped shows why among its events (F8)', async () => {
  const { ask, events } = setUp([{ machine, secureBoot: true }])
  expect(await ask({ options: uefi })).toBeUndefined()
  expect(events).toMatchObject([{ machine, hop: 'dhcp-discover', note: expect.stringContaining('Secure Boot does not go by proxyDHCP') as string }])
})
