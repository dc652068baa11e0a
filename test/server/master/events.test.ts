import { EventSourceParserStream } from 'eventsource-parser/stream'
import { expect, onTestFinished, test } from 'vitest'
import type { MachineEvent } from '../../../server/api/event.ts'
import { openJobServer } from '../../appliance/worker/job-server.ts'
import { asker, openMaster, type TestMaster } from './open-master.ts'

/** Follows the events of a master from `lastEventId` on; `next` tells the next one that is about a job, with its id. */
async function follow(master: TestMaster, lastEventId?: string) {
  const credential = await master.tokens.create({ role: 'operator', name: 'x' })
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const headers = { authorization: `Bearer ${credential}`, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) }
  const response = await fetch(`${master.url}/events`, { headers, signal: stop.signal })
  const messages = response.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()).getReader()
  return async (): Promise<{ id: string; event: MachineEvent & { job: string } }> => {
    for (;;) {
      const { value } = await messages.read()
      const event = JSON.parse(value!.data) as MachineEvent
      if ('job' in event) return { id: value!.id!, event }
    }
  }
}

const claim = (ask: ReturnType<typeof asker>, id: string) => ask('PUT', `/status/${id}.json`, { json: { worker: 'm1' }, headers: { 'if-none-match': '*' } })

test('F8 the events of all first computers come as one stream, in the names of the master, and go on where they broke off', async () => {
  const [a, b] = [await openJobServer(), await openJobServer()]
  for (const id of ['x', 'y', 'z']) await a.addJob({ id })
  await b.addJob({ id: 'x' })
  const outer = await openMaster({ inner: await openMaster({ a }), b })
  const next = await follow(outer)
  await claim(outer.worker, 'inner.a.x')
  const first = await next()
  expect(first.event).toMatchObject({ hop: 'claim', job: 'inner.a.x', machine: 'm1' })
  await claim(outer.worker, 'b.x')
  const second = await next()
  expect(second.event).toMatchObject({ hop: 'claim', job: 'b.x' })
  expect([...new URLSearchParams(second.id).keys()].toSorted()).toEqual(['b', 'inner'])

  await claim(outer.worker, 'inner.a.y')
  expect((await (await follow(outer, second.id))()).event).toMatchObject({ hop: 'claim', job: 'inner.a.y' })

  // A first computer that was started anew goes on too.
  await next()
  await a.stop()
  await a.start()
  await claim(asker(() => a.url, await a.tokens.create({ role: 'worker', name: 'm2' })), 'z')
  expect((await next()).event).toMatchObject({ hop: 'claim', job: 'inner.a.z' })
})
