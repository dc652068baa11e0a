import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { allOrNone } from '../../../server/prove/all-or-none.ts'

const never = new AbortController().signal

test('results come in the order of the items, whichever is done first', async () => {
  const act = async (ms: number, index: number): Promise<string> => {
    await sleep(ms)
    return `${index}: ${ms}`
  }
  expect(await allOrNone([30, 1, 10], act, { concurrency: 3, signal: never })).toEqual(['0: 30', '1: 1', '2: 10'])
})

test('the first that fails stops the others, begins no further one, and is thrown once they have ended', async () => {
  const said: string[] = []
  const act = async (name: string, _: number, signal: AbortSignal): Promise<void> => {
    said.push(`${name} begins`)
    if (name === 'bad') throw new Error('broken')
    await sleep(60_000, undefined, { signal }).catch(() => sleep(20))
    said.push(`${name} ends`)
    signal.throwIfAborted()
  }
  await expect(allOrNone(['good', 'bad', 'late'], act, { concurrency: 2, signal: never })).rejects.toThrow('broken')
  expect(said).toEqual(['good begins', 'bad begins', 'good ends'])
})

test('whoever stops it stops them all, with the reason', async () => {
  const stop = new AbortController()
  const act = (_: number, __: number, signal: AbortSignal): Promise<void> => sleep(60_000, undefined, { signal }).catch(() => signal.throwIfAborted())
  const ended = allOrNone([1, 2], act, { concurrency: 2, signal: stop.signal })
  stop.abort(new Error('cancelled'))
  await expect(ended).rejects.toThrow('cancelled')
})
