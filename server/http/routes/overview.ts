import type { FastifyPluginAsync } from 'fastify'
import type { Overview } from '../../overview/create-overview.ts'
import { may, type Authorize } from '../auth.ts'
import { createEventStreams } from '../event-streams.ts'
import { isNotModified } from './preconditions.ts'

/**
 * All machines and the whole list at once, for the console. `GET /overview.json` tells it as it is now, with its revision as ETag; `GET /overview/events` as
 * server-sent events: a `snapshot` first, then each `change`; with `Last-Event-ID` only the changes since, as long as they are kept.
 */
export const overviewRoutes: FastifyPluginAsync<{ overview: Overview; authorize: Authorize }> = async (app, { overview, authorize }) => {
  const openStream = createEventStreams(app)

  app.get('/overview.json', async (request, reply) => {
    await authorize(request, may.look)
    const snapshot = await overview.snapshot()
    const etag = `"${snapshot.revision}"`
    reply.headers({ etag, 'cache-control': 'no-cache' })
    return isNotModified(request.headers, etag) ? reply.code(304).send() : snapshot
  })

  app.get<{ Headers: { 'last-event-id'?: string } }>('/overview/events', async (request, reply) => {
    await authorize(request, may.look)
    const stream = openStream()
    const unfollow = await overview.follow(request.headers['last-event-id'], (told) => {
      const data = told.kind === 'snapshot' ? told.snapshot : told.change
      stream.send({ id: data.revision, event: told.kind, data })
    })
    stream.onClose(unfollow)
    return stream.begin(reply)
  })
}
