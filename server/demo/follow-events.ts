import { EventSourceParserStream } from 'eventsource-parser/stream'
import type { MachineEvent } from '../api/event.ts'
import { askServer, type ServerAddress } from '../http-client.ts'

/** What a first computer tells of its machines, from its start on, until `signal` is aborted or the server ends the stream (`GET /events`). */
export async function* followEvents(server: ServerAddress, signal: AbortSignal): AsyncGenerator<MachineEvent> {
  const { body } = await askServer(server, '/events', { signal })
  if (body === null) throw new Error(`${server.url}/events answered nothing`)
  // The same class, which undici and Node each declare for themselves.
  const messages = (body as ReadableStream<BufferSource>).pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
  for await (const { data } of messages) yield JSON.parse(data) as MachineEvent
}
