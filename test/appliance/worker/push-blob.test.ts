import { expect, test } from 'vitest'
import { OutageError, RefusedError } from '../../../appliance/worker/answer-errors.ts'
import { pushBlob } from '../../../appliance/worker/push-blob.ts'

const outage = () => new OutageError('cut')
const damage = () => new RefusedError(400, 'another digest', 'DIGEST_INVALID')

/** Pushes to a server that answers each request as listed; gives what was asked of it, and how it ended. */
async function pushTo(answers: readonly (Error | boolean)[]): Promise<string[]> {
  const asked: string[] = []
  const answer = (what: string): boolean => {
    const next = answers[asked.push(what) - 1] ?? true
    if (next instanceof Error) throw next
    return next
  }
  await pushBlob({
    send: async () => void answer('send'),
    isThere: async () => answer('ask'),
    signal: new AbortController().signal,
    onOutage: () => {},
    onDamage: () => void asked.push('damaged'),
  }).catch((error: Error) => asked.push(error.message))
  return asked
}

test('a blob is sent once, without a question', async () => {
  expect(await pushTo([true])).toEqual(['send'])
})

test('F9 after an outage the server is asked, and sent only what it lacks', async () => {
  expect(await pushTo([outage(), true])).toEqual(['send', 'ask'])
  expect(await pushTo([outage(), outage(), false, true])).toEqual(['send', 'ask', 'ask', 'send'])
})

test('F2 a blob that was damaged on its way is sent again, and one that always is, is not', async () => {
  expect(await pushTo([damage(), true, false, true])).toEqual(['send', 'damaged', 'ask', 'send'])
  expect(await pushTo([damage(), true, false, damage(), true, false, damage()])).toEqual(['send', 'damaged', 'ask', 'send', 'damaged', 'ask', 'send', 'another digest'])
})

test('F5 any other refusal ends it at once', async () => {
  expect(await pushTo([new RefusedError(410, 'the claim has ended', 'DENIED')])).toEqual(['send', 'the claim has ended'])
})
