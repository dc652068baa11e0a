import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { isNotModified } from './routes/preconditions.ts'

/**
 * Gives every JSON answer to a GET an ETag by its bytes (RFC 9110, 8.8.3), unless its route did, so that one who asks again for a list that is the same is
 * answered with 304. What must not be kept has none.
 */
export function tagAnswers(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply, payload) => {
    const isJson = String(reply.getHeader('content-type')).startsWith('application/json')
    if (request.method !== 'GET' || reply.statusCode !== 200 || typeof payload !== 'string' || !isJson) return payload
    if (reply.hasHeader('etag') || reply.hasHeader('cache-control')) return payload
    const etag = `"${createHash('sha256').update(payload).digest('base64url').slice(0, 22)}"`
    reply.header('etag', etag)
    if (!isNotModified({ 'if-none-match': request.headers['if-none-match'] }, etag)) return payload
    reply.code(304).removeHeader('content-length').removeHeader('content-type')
    return ''
  })
}
