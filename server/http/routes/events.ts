import { PassThrough } from 'node:stream'
import type { FastifyPluginAsync } from 'fastify'
import type { EventLog, NumberedEvent } from '../../event-log.ts'
import { may, type Authorize } from '../auth.ts'

/** Comment lines keep the connection known to be alive (WHATWG HTML, 9.2.7). */
const keepAliveMs = 15_000

/** `GET /events`: what happens to the machines, as server-sent events that a broken connection takes up again by `Last-Event-ID`. */
export const eventRoutes: FastifyPluginAsync<{ events: EventLog; authorize: Authorize }> = async (app, { events, authorize }) => {
  const open = new Set<PassThrough>()
  app.addHook('preClose', async () => {
    for (const stream of open) stream.end()
  })

  app.get('/events', async (request, reply) => {
    await authorize(request, may.look)
    const stream = new PassThrough()
    const send = ({ number, event }: NumberedEvent) => stream.write(`id: ${number}\ndata: ${JSON.stringify(event)}\n\n`)
    for (const event of events.since(Number(request.headers['last-event-id'] ?? 0))) send(event)
    const unfollow = events.follow(send)
    const keepAlive = setInterval(() => stream.write(': alive\n\n'), keepAliveMs)
    open.add(stream)
    // The headers go out with the first bytes, and those who follow wait for them.
    stream.write(': begins\n\n')
    stream.on('close', () => {
      unfollow()
      clearInterval(keepAlive)
      open.delete(stream)
    })
    return reply.type('text/event-stream').header('cache-control', 'no-store').send(stream)
  })
}
