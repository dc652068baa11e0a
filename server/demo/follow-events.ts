import { EventSourceParserStream } from 'eventsource-parser/stream'
import type { MachineEvent } from '../api/event.ts'

/** What a first computer tells of its machines, from its start on, until `signal` is aborted or the server ends the stream (`GET /events`). */
export async function* followEvents(url: string, token: string, signal: AbortSignal): AsyncGenerator<MachineEvent> {
  const response = await fetch(`${url}/events`, { headers: { authorization: `Bearer ${token}` }, signal })
  if (!response.ok || response.body === null) throw new Error(`${url}/events answered ${response.status}`)
  const messages = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
  for await (const { data } of messages) yield JSON.parse(data) as MachineEvent
}
