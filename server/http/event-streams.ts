import { PassThrough } from 'node:stream'
import type { FastifyInstance, FastifyReply } from 'fastify'

/** Comment lines keep the connection known to be alive (WHATWG HTML, 9.2.7). */
const keepAliveMs = 15_000
/** One who reads so much slower than it comes, in bytes, is let go, and takes it up again by `Last-Event-ID`. */
const mostUnread = 64 * 1024 * 1024

/** Server-sent events to one who follows. */
export interface EventStream {
  send(message: { id: string; data: unknown; event?: string }): void
  /** Calls `listener` once nobody reads any more. */
  onClose(listener: () => void): void
  /** Sends the headers and what there is so far. */
  begin(reply: FastifyReply): FastifyReply
}

/** Makes streams that end with the server. */
export function createEventStreams(app: FastifyInstance): () => EventStream {
  const open = new Set<PassThrough>()
  app.addHook('preClose', async () => {
    for (const stream of open) stream.end()
  })
  return () => {
    const stream = new PassThrough()
    const keepAlive = setInterval(() => stream.write(': alive\n\n'), keepAliveMs)
    open.add(stream)
    stream.on('close', () => {
      clearInterval(keepAlive)
      open.delete(stream)
    })
    return {
      send({ id, data, event }) {
        if (stream.writableLength > mostUnread) stream.destroy()
        else stream.write(`id: ${id}\n${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`)
      },
      onClose: (listener) => void stream.on('close', listener),
      begin(reply) {
        // The headers go out with the first bytes, and those who follow wait for them.
        stream.write(': begins\n\n')
        return reply.type('text/event-stream').header('cache-control', 'no-store').send(stream)
      },
    }
  }
}
