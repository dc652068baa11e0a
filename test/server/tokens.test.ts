import { mkdtemp, readdir, readFile, rm, unlink } from 'node:fs/promises'
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
  const answers = await Promise.all(Array.from({ length: 20 }, () => tokens.redeemTicket(ticket)))
  expect(answers.filter((answer) => answer !== undefined)).toEqual(['52-54-00-12-34-56'])
  expect(await tokens.redeemTicket(ticket)).toBeUndefined()
})

test('a ticket is no credential and a credential is no ticket', async () => {
  const tokens = openTokens(directory)
  expect(await tokens.identify(await tokens.createTicket('m1', 60))).toBeUndefined()
  expect(await tokens.redeemTicket(await tokens.create({ role: 'worker', name: 'm1' }))).toBeUndefined()
})
