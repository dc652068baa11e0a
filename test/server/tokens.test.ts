import { mkdtemp, readdir, readFile, rm, stat, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openTokens } from '../../server/tokens.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-tokens-'))
})
afterEach(() => rm(directory, { recursive: true }))

test('a credential tells whose it is, and the data directory does not hold it', async () => {
  const tokens = openTokens(directory)
  const credential = await tokens.create({ role: 'operator', name: 'ci' })
  expect(await tokens.identify(credential)).toEqual({ role: 'operator', name: 'ci' })
  const [file] = await readdir(join(directory, 'tokens'))
  expect(await readFile(join(directory, 'tokens', file!), 'utf8')).not.toContain(credential)
})

test('an unknown credential and one that has ended tell nothing', async () => {
  let nowMs = Date.parse('2026-11-23T12:00:00Z')
  const tokens = openTokens(directory, () => nowMs)
  const credential = await tokens.create({ role: 'worker', name: 'm1' }, 60)
  expect(await tokens.identify(`${credential}x`)).toBeUndefined()
  expect(await tokens.identify(credential)).toEqual({ role: 'worker', name: 'm1' })
  nowMs += 60_000
  expect(await tokens.identify(credential)).toBeUndefined()
})

test('a credential whose file was taken away is good for one second more, whichever way the clock is set', async () => {
  let nowMs = Date.parse('2026-11-23T12:00:00Z')
  const tokens = openTokens(directory, () => nowMs)
  const credential = await tokens.create({ role: 'worker', name: 'm1' })
  expect(await tokens.identify(credential)).toEqual({ role: 'worker', name: 'm1' })
  const [file] = await readdir(join(directory, 'tokens'))
  await unlink(join(directory, 'tokens', file!))
  nowMs += 999
  expect(await tokens.identify(credential)).toEqual({ role: 'worker', name: 'm1' })
  nowMs -= 3_600_000
  expect(await tokens.identify(credential)).toBeUndefined()
})

test('of twenty that redeem one ticket at once, one gets the machine', async () => {
  const tokens = openTokens(directory)
  const ticket = await tokens.createTicket('52-54-00-12-34-56', 60)
  const machine = '52-54-00-12-34-56'
  const answers = await Promise.all(Array.from({ length: 20 }, () => tokens.redeemTicket(ticket)))
  expect(answers.filter((answer) => answer?.use === 'first')).toEqual([{ machine, boot: expect.any(Number), use: 'first' }])
  expect(await tokens.redeemTicket(ticket)).toMatchObject({ machine, use: 'again' })
})

test('a ticket is worth nothing once that of a later boot was used, whichever way the clock is set and however close they are', async () => {
  let nowMs = Date.parse('2026-11-23T12:00:00Z')
  const tokens = openTokens(directory, () => nowMs)
  const [first, second] = [await tokens.createTicket('m1', 60), await tokens.createTicket('m1', 60)]
  expect(await tokens.redeemTicket(second)).toMatchObject({ use: 'first' })
  expect(await tokens.redeemTicket(first)).toMatchObject({ machine: 'm1', use: 'late' })
  expect(await tokens.redeemTicket(first)).toMatchObject({ use: 'again' })
  nowMs -= 3_600_000
  const third = await openTokens(directory, () => nowMs).createTicket('m1', 60)
  expect(await tokens.redeemTicket(third)).toMatchObject({ use: 'first' })
  expect(await tokens.redeemTicket(await tokens.createTicket('m2', 60))).toMatchObject({ machine: 'm2', use: 'first' })
})

test('what an earlier boot of a machine was given is told as superseded once a later ticket is used, by other servers on the directory too', async () => {
  const [tokens, other] = [openTokens(directory), openTokens(directory)]
  const boot = async (machine: string) => {
    const { boot } = (await tokens.redeemTicket(await tokens.createTicket(machine, 60)))!
    return tokens.create({ role: 'worker', name: machine, isMachine: true }, 60, boot)
  }
  const [first, neighbour] = [await boot('m1'), await boot('m2')]
  expect((await tokens.identify(first))?.supersededAt).toBeUndefined()
  const second = await boot('m1')
  for (const each of [tokens, other]) {
    expect((await each.identify(first))?.supersededAt).toEqual(expect.any(String))
    for (const lasting of [second, neighbour]) expect((await each.identify(lasting))?.supersededAt).toBeUndefined()
  }
})

test('a ticket is no credential and a credential is no ticket', async () => {
  const tokens = openTokens(directory)
  expect(await tokens.identify(await tokens.createTicket('m1', 60))).toBeUndefined()
  expect(await tokens.redeemTicket(await tokens.create({ role: 'worker', name: 'm1' }))).toBeUndefined()
})

test('the list tells tokens by an id that is no part of them, and a revoked one is unknown within a second', async () => {
  let nowMs = Date.parse('2026-11-23T12:00:00Z')
  const tokens = openTokens(directory, () => nowMs)
  const [ada, ci] = [await tokens.create({ role: 'admin', name: 'ada' }), await tokens.create({ role: 'viewer', name: 'ci' }, 60)]
  const list = await tokens.list()
  expect(list.map(({ role, name, expiresAt }) => ({ role, name, expiresAt })).toSorted((a, b) => a.name.localeCompare(b.name))).toEqual([
    { role: 'admin', name: 'ada', expiresAt: undefined },
    { role: 'viewer', name: 'ci', expiresAt: '2026-11-23T12:01:00.000Z' },
  ])
  for (const { id } of list) for (const secret of [ada, ci]) expect(secret).not.toContain(id)
  await tokens.revoke(list.find(({ name }) => name === 'ada')!.id)
  nowMs += 1000
  expect(await tokens.identify(ada)).toBeUndefined()
  expect(await tokens.identify(ci)).toEqual({ role: 'viewer', name: 'ci' })
})

test('the first start makes one admin, whose token only its owner can read; a later one makes none', async () => {
  const path = await openTokens(directory).createFirstAdmin()
  expect((await stat(path!)).mode & 0o777).toBe(0o600)
  expect(await openTokens(directory).identify((await readFile(path!, 'utf8')).trim())).toMatchObject({ role: 'admin' })
  expect(await openTokens(directory).createFirstAdmin()).toBeUndefined()
})

test('of two servers that start first at once on one directory, both tell of the same admin', async () => {
  const paths = await Promise.all([openTokens(directory).createFirstAdmin(), openTokens(directory).createFirstAdmin()])
  expect(paths.filter((path) => path !== undefined).length).toBeGreaterThan(0)
  expect(await openTokens(directory).list()).toHaveLength(1)
})

test('a first admin that was revoked does not come back with a later start', async () => {
  const tokens = openTokens(directory)
  const path = await tokens.createFirstAdmin()
  const first = (await readFile(path!, 'utf8')).trim()
  await tokens.revoke((await tokens.list())[0]!.id)
  const again = openTokens(directory)
  await again.createFirstAdmin()
  expect(await again.identify(first)).toBeUndefined()
  expect(await again.identify((await readFile(path!, 'utf8')).trim())).toMatchObject({ role: 'admin' })
})

test('what has ended is swept away, and nothing else', async () => {
  let nowMs = Date.parse('2026-11-23T12:00:00Z')
  const tokens = openTokens(directory, () => nowMs)
  const lasting = await tokens.create({ role: 'viewer', name: 'ada' })
  await tokens.create({ role: 'worker', name: 'm1' }, 60)
  await tokens.createTicket('m1', 60)
  await tokens.redeemTicket(await tokens.createTicket('m1', 60))
  await tokens.createSession(lasting, 60)
  nowMs += 60_000
  await tokens.sweep()
  expect(await readdir(join(directory, 'tokens'))).toHaveLength(1)
  expect((await readdir(join(directory, 'tickets'))).toSorted()).toEqual(['boots', 'used'])
  expect(await readdir(join(directory, 'tickets/used'))).toEqual([])
  // Which boot was the latest is asked for as long as something that an earlier one was given may be good.
  expect(await readdir(join(directory, 'tickets/boots'))).toEqual(['m1.json'])
  expect(await readdir(join(directory, 'sessions'))).toEqual([])
  expect(await tokens.identify(lasting)).toEqual({ role: 'viewer', name: 'ada' })
  nowMs += 48 * 3_600_000
  await tokens.sweep()
  expect(await readdir(join(directory, 'tickets/boots'))).toEqual([])
})
