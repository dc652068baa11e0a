import type { FastifyPluginAsync } from 'fastify'
import type { EventLog, NumberedEvent } from '../../event-log.ts'
import { may, type Authorize } from '../auth.ts'
import { createEventStreams } from '../event-streams.ts'

/** `GET /events`: what happens to the machines, as server-sent events that a broken connection takes up again by `Last-Event-ID`. */
export const eventRoutes: FastifyPluginAsync<{ events: EventLog; authorize: Authorize }> = async (app, { events, authorize }) => {
  const openStream = createEventStreams(app)
  app.get('/events', async (request, reply) => {
    await authorize(request, may.look)
    const stream = openStream()
    const send = ({ number, event }: NumberedEvent) => stream.send({ id: String(number), data: event })
    for (const event of events.since(Number(request.headers['last-event-id'] ?? 0))) send(event)
    stream.onClose(events.follow(send))
    return stream.begin(reply)
  })
}
