import { Writable } from 'node:stream'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import type { NewMachineEvent } from '../../../../server/event-log.ts'
import type { ConflictProbe } from '../../../../server/netboot/dhcp/conflict-probe.ts'
import type { LeaseFile } from '../../../../server/netboot/dhcp/lease-file.ts'
import { createLeaseResponder } from '../../../../server/netboot/dhcp/lease-responder.ts'
import { LeaseTable } from '../../../../server/netboot/dhcp/lease-table.ts'
import type { DhcpSettings } from '../../../../server/netboot/dhcp/settings.ts'
import { address, question, type DatagramFields } from './datagram.ts'

const range = { first: '10.77.0.100', last: '10.77.0.101' }
const settings: DhcpSettings = {
  serverAddress: '10.77.0.1',
  httpUrl: 'http://10.77.0.1:8080',
  policies: [],
  networks: [{ address: '10.77.0.1', prefixLength: 24, range, router: undefined }],
  leaseSeconds: 3600,
  nameServers: [],
  domain: undefined,
}
const emptyFile: LeaseFile = { load: async () => [], save: async () => undefined, close: async () => undefined }
const nobody: ConflictProbe = { userOf: async () => undefined, close: async () => undefined }

function setUp({ leaseFile = emptyFile, probe = nobody }: { leaseFile?: LeaseFile; probe?: ConflictProbe } = {}) {
  const told: string[] = []
  const events: NewMachineEvent[] = []
  const log = pino({ level: 'warn' }, new Writable({ write: (line: Buffer, _, done) => (told.push((JSON.parse(String(line)) as { msg: string }).msg), done()) }))
  const leases = new LeaseTable({ ranges: [range], taken: [], reservations: new Map(), leases: [] })
  const respond = createLeaseResponder({ settings, leases, leaseFile, probe, emit: (event) => void events.push(event) })
  const ask = async (fields: DatagramFields) => {
    const reply = await respond(question(fields), log)
    reply?.onSent()
    return reply?.packet.yiaddr
  }
  return { told, events, ask }
}
const mac = (digit: number) => `02:00:00:00:00:0${digit}`
const accept: DatagramFields = { type: 'request', options: [[54, address('10.77.0.1')], [50, address('10.77.0.100')]] }

it('when every address is taken the next machine gets no answer, and the log says what to do', async () => {
  const { ask, told } = setUp()
  expect([await ask({ mac: mac(1) }), await ask({ mac: mac(2) }), await ask({ mac: mac(3) })]).toEqual(['10.77.0.100', '10.77.0.101', undefined])
  expect(told).toEqual(['no DHCP answer: widen the range or shorten the leases'])
})

it('nothing is acknowledged before the lease is on disk', async () => {
  const written = Promise.withResolvers<void>()
  const { ask } = setUp({ leaseFile: { ...emptyFile, save: () => written.promise } })
  await ask({})
  let answered = false
  const answer = ask(accept).finally(() => (answered = true))
  await new Promise((resolve) => setImmediate(resolve))
  expect(answered).toBe(false)
  written.resolve()
  expect(await answer).toBe('10.77.0.100')
})

it('a lease that cannot be kept is not given', async () => {
  const { ask, told } = setUp({ leaseFile: { ...emptyFile, save: () => Promise.reject(new Error('disk full')) } })
  await ask({})
  expect(await ask(accept)).toBeUndefined()
  expect(told).toEqual(['no DHCP answer: the lease could not be kept on disk'])
})

it('addresses in use are passed over until none is left', async () => {
  const users = new Map([['10.77.0.100', '02-00-00-00-00-09']])
  const { ask } = setUp({ probe: { ...nobody, userOf: async (one) => users.get(one) } })
  expect(await ask({})).toBe('10.77.0.101')
  users.set('10.77.0.101', '02-00-00-00-00-09')
  expect(await ask({})).toBeUndefined()
})

it('an address that the machine itself still uses is its own', async () => {
  const { ask } = setUp({ probe: { ...nobody, userOf: async () => '02-00-00-00-00-01' } })
  expect(await ask({})).toBe('10.77.0.100')
})

it('a machine that has its lease is offered it without looking', async () => {
  const asked: string[] = []
  const { ask } = setUp({ probe: { ...nobody, userOf: async (one) => void asked.push(one) } })
  await ask({})
  await ask(accept)
  expect(await ask({})).toBe('10.77.0.100')
  expect(asked).toEqual(['10.77.0.100'])
})

it('a network that cannot be asked keeps nobody from booting', async () => {
  const { ask, told } = setUp({ probe: { ...nobody, userOf: () => Promise.reject(new Error('unreachable')) } })
  expect(await ask({})).toBe('10.77.0.100')
  expect(told).toEqual(['could not look whether the address is in use: offered unseen'])
})

it('F8 each message becomes an event of the machine, with what came of it', async () => {
  const { ask, events } = setUp()
  await ask({})
  await ask({ type: 'request', options: [[54, address('10.77.0.9')], [50, address('10.77.0.51')]] })
  await ask({})
  await ask({ type: 'request', options: [[54, address('10.77.0.1')], [50, address('10.77.0.7')]] })
  await ask(accept)
  await ask({ type: 'decline', options: [[54, address('10.77.0.1')], [50, address('10.77.0.100')]] })
  const machine = '02-00-00-00-00-01'
  expect(events.filter(({ hop }) => hop !== 'dhcp-discover' && hop !== 'dhcp-offer')).toEqual([
    { machine, hop: 'dhcp-elsewhere', address: '10.77.0.51', server: '10.77.0.9' },
    { machine, hop: 'dhcp-refused', reason: 'asked for 10.77.0.7 but was offered 10.77.0.100' },
    { machine, hop: 'dhcp-ack', address: '10.77.0.100', file: '' },
    { machine, hop: 'dhcp-declined', address: '10.77.0.100' },
  ])
})
