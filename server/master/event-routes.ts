import { setTimeout as sleep } from 'node:timers/promises'
import { PassThrough, Readable } from 'node:stream'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import type { FastifyPluginAsync } from 'fastify'
import type { MachineEvent } from '../api/event.ts'
import { may } from '../http/auth.ts'
import { HttpProblem } from '../http/problem.ts'
import type { FirstComputerLink } from './first-computer-link.ts'
import { viaOf } from './pass-on.ts'
import type { MasterContext } from './route-context.ts'

/** Comment lines keep the connection known to be alive (WHATWG HTML, 9.2.7). */
const keepAliveMs = 15_000
/** A stream that ended is taken up again no sooner. */
const againMs = 1000

/**
 * `GET /events`: what happens to the machines of all first computers, as it comes; there is no order between two of them. The id of each event says how
 * far each first computer has told, for example `hall-a=12&hall-b=7`, so that a connection that broke is taken up again by `Last-Event-ID` at each of
 * them. A first computer that goes away is taken up again when it is back.
 */
export const masterEventRoutes: FastifyPluginAsync<MasterContext> = async (app, { links, authorize }) => {
  const open = new Set<PassThrough>()
  app.addHook('preClose', async () => {
    for (const stream of open) stream.end()
  })

  app.get('/events', async (request, reply) => {
    await authorize(request, may.look)
    const told = new URLSearchParams(String(request.headers['last-event-id'] ?? ''))
    const stream = new PassThrough()
    const gone = new AbortController()
    const follow = async (link: FirstComputerLink): Promise<void> => {
      for (;;) {
        await link.reachable(gone.signal)
        try {
          const headers = { 'last-event-id': told.get(link.name) ?? '0' }
          const body = await link.open('/events', { role: 'operator', via: viaOf(request), headers, signal: gone.signal })
          const messages = (Readable.toWeb(body) as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
          for await (const { id, data } of messages) {
            if (id !== undefined) told.set(link.name, id)
            stream.write(`id: ${told}\ndata: ${JSON.stringify(link.rename.event(JSON.parse(data) as MachineEvent))}\n\n`)
          }
        } catch (error) {
          gone.signal.throwIfAborted()
          if (!(error instanceof HttpProblem)) link.failed(error as Error)
        }
        await sleep(againMs, undefined, { signal: gone.signal })
      }
    }
    for (const link of links) {
      follow(link).catch((error: Error) => {
        if (!gone.signal.aborted) stream.destroy(error)
      })
    }
    const keepAlive = setInterval(() => stream.write(': alive\n\n'), keepAliveMs)
    open.add(stream)
    // The headers go out with the first bytes, and those who follow wait for them.
    stream.write(': begins\n\n')
    stream.on('close', () => {
      open.delete(stream)
      clearInterval(keepAlive)
      gone.abort()
    })
    return reply.type('text/event-stream').header('cache-control', 'no-store').send(stream)
  })
}
