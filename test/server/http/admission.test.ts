import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createAdmission } from '../../../server/admission.ts'
import { inventory, newClaim, openJobServer, type JobServer } from './job-server.ts'

const mac = '52-54-00-00-00-09'
let server: JobServer
beforeEach(async () => {
  server = await openJobServer()
})
afterEach(() => server.close())

const admissionOf = async () => (await server.machines.read(mac)).admission
const isAdmitted = async () => server.admission.isAdmitted(await server.machines.read(mac))
const exchange = async (ticket: string) => server.app.inject({ method: 'POST', url: '/credentials', payload: { ticket } })
const told = () => server.events.since(0).map(({ event }) => event)

describe('a machine that asks what to boot', () => {
  test('is written down and told of once, and may have nothing until somebody admits it', async () => {
    await server.admission.wait(mac, '10.77.0.100')
    await server.admission.wait(mac, '10.77.0.100')
    expect(await isAdmitted()).toBe(false)
    expect((await server.operator('GET', '/machines.json')).json()).toMatchObject({ machines: [{ id: mac, admission: { state: 'waiting' } }] })
    expect(told()).toMatchObject([{ machine: mac, hop: 'admission', state: 'waiting', address: '10.77.0.100' }])
    const answer = await server.operator('POST', `/machines/${mac}/admit`)
    expect(answer.json()).toMatchObject({ id: mac, admission: { state: 'admitted', by: 'ci' } })
    expect(await isAdmitted()).toBe(true)
    expect(told()[1]).toMatchObject({ hop: 'admission', state: 'admitted', by: 'ci' })
  })

  test('may be admitted before it was ever seen', async () => {
    expect((await server.operator('POST', `/machines/${mac}/admit`)).statusCode).toBe(200)
    expect(await isAdmitted()).toBe(true)
  })

  test.each(['host', '52:54:00:00:00:09', '../../tokens', '%0a'])('is named by its MAC address alone: %s is refused', async (name) => {
    expect((await server.operator('POST', `/machines/${encodeURIComponent(name)}/admit`)).statusCode).toBe(400)
  })

  test('is admitted by the configuration where all are, but for one that was refused', async () => {
    const { machines, tokens, events } = server
    const admission = createAdmission({ machines, tokens, policy: 'all', emit: events.emit, log: pino({ level: 'silent' }) })
    expect(admission.isAdmitted(await machines.read(mac))).toBe(true)
    await admission.note(await machines.read(mac))
    expect(await admissionOf()).toMatchObject({ state: 'admitted', by: 'configuration' })
    // It stays so when the configuration asks again.
    expect(await isAdmitted()).toBe(true)
    await admission.refuse(mac, 'ci')
    expect(admission.isAdmitted(await machines.read(mac))).toBe(false)
  })

  test('is admitted when this server knew it before there was such a thing, and not when another server told of it', async () => {
    expect(server.admission.isAdmitted({ inventory: inventory({ id: mac }) })).toBe(true)
    await server.worker('PUT', `/machines/${mac}.json`, { payload: inventory({ id: mac }) })
    expect(await admissionOf()).toMatchObject({ state: 'elsewhere' })
    expect(await isAdmitted()).toBe(false)
    await server.admission.wait(mac, '10.77.0.100')
    expect(await admissionOf()).toMatchObject({ state: 'waiting' })
  })
})

describe('a ticket', () => {
  test('of a machine that was refused meanwhile is worth nothing', async () => {
    await server.admission.admit(mac, 'ci')
    const ticket = await server.tokens.createTicket(mac, 60)
    await server.admission.refuse(mac, 'ci')
    expect((await exchange(ticket)).statusCode).toBe(401)
  })

  test('that is shown twice is refused, and told of with the address of who showed it', async () => {
    await server.admission.admit(mac, 'ci')
    const ticket = await server.tokens.createTicket(mac, 60)
    expect((await exchange(ticket)).statusCode).toBe(201)
    expect((await exchange(ticket)).statusCode).toBe(401)
    expect(told().at(-1)).toMatchObject({ machine: mac, hop: 'ticket-refused', address: '127.0.0.1', why: 'it was used already' })
  })

  test('that somebody kept is refused once the machine has booted with a later one, which it takes nothing from', async () => {
    await server.admission.admit(mac, 'ci')
    const [kept, used] = [await server.tokens.createTicket(mac, 60), await server.tokens.createTicket(mac, 60)]
    const { credential } = (await exchange(used)).json() as { credential: string }
    expect((await exchange(kept)).statusCode).toBe(401)
    expect(told().at(-1)).toMatchObject({ machine: mac, hop: 'ticket-refused', why: 'a later boot of the machine has used its own' })
    expect((await server.app.inject({ url: '/jobs.json', headers: { authorization: `Bearer ${credential}` } })).statusCode).toBe(200)
  })
})

describe('a credential that a machine was given', () => {
  const asMachine = async () => {
    await server.admission.admit(mac, 'ci')
    const { credential } = (await exchange(await server.tokens.createTicket(mac, 60))).json() as { credential: string }
    return { authorization: `Bearer ${credential}` }
  }

  test('is worth nothing once the machine is refused', async () => {
    const headers = await asMachine()
    expect((await server.app.inject({ url: '/jobs.json', headers })).statusCode).toBe(200)
    await server.operator('POST', `/machines/${mac}/refuse`)
    expect((await server.app.inject({ url: '/jobs.json', headers })).statusCode).toBe(401)
  })

  test('is refused once a later boot of the machine has its own, and says so', async () => {
    const [first, second] = [await asMachine(), await asMachine()]
    const refused = await server.app.inject({ url: '/jobs.json', headers: first })
    expect([refused.statusCode, refused.json()]).toEqual([401, expect.objectContaining({ title: expect.stringContaining(`of an earlier boot of ${mac}`) })])
    expect((await server.app.inject({ url: '/jobs.json', headers: second })).statusCode).toBe(200)
  })

  test('is good for the job that was taken with it, and for no other, until that has ended, though somebody else has booted as the machine', async () => {
    await server.writeList({ id: 'job-1', recipe: 'r' }, { id: 'job-2', recipe: 'r' })
    const first = await asMachine()
    const take = async (id: string, headers: object) => {
      const claim = newClaim()
      const { statusCode } = await server.app.inject({ method: 'PUT', url: `/status/${id}.json`, payload: {}, headers: { ...headers, 'if-none-match': '*', 'ingot-claim': claim } })
      return { claim, statusCode }
    }
    const { claim } = await take('job-1', first)
    const report = async (payload: object) => (await server.app.inject({ method: 'PUT', url: '/status/job-1.json', payload, headers: { ...first, 'if-match': '*', 'ingot-claim': claim } })).statusCode
    const second = await asMachine()
    expect(await report({ state: 'running' })).toBe(200)
    expect((await take('job-2', first)).statusCode).toBe(403)
    expect((await take('job-2', second)).statusCode).toBe(201)
    expect(await report({ state: 'failed', failure: { step: 's', message: 'm', lastLines: [] } })).toBe(200)
    expect(await report({})).toBe(401)
  })

  test('tells of no other machine', async () => {
    const headers = await asMachine()
    const put = async (id: string) => (await server.app.inject({ method: 'PUT', url: `/machines/${id}.json`, headers, payload: inventory({ id }) })).statusCode
    expect(await put(mac)).toBe(200)
    expect(await put('52-54-00-00-00-10')).toBe(403)
  })
})
