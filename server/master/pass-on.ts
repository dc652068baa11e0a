import { text } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import type { FastifyReplyFromHooks } from '@fastify/reply-from'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { jobHeader } from '../api/headers.ts'
import { HttpProblem } from '../http/problem.ts'
import type { FirstComputerLink, LinkRole } from './first-computer-link.ts'
import { describeOutage, isRefusal } from './outage.ts'

export interface PassOnOptions {
  /** In which capacity; `undefined` for what is open to everyone and gets no credential. */
  role: LinkRole | undefined
  path: string
  /** Whether the query goes along; default true. */
  hasQuery?: boolean
  /** Sent as JSON in place of the request's own body, which then has been read. */
  body?: unknown
  /** The job as it is called there, for the header `Ingot-Job`. */
  job?: string
  /** Puts a JSON answer of success into the names of this master. */
  rename?: (answer: never) => unknown
  /** The answer may take many minutes. */
  isPatient?: boolean
  /** Puts the path in a `Location` or `Link` header into the names of this master; default as jobs are called. */
  location?: (path: string) => string
}

/** What becomes of an answer, or of a request without one, before any of it goes to the one who asked: `true` when it was taken care of. */
interface Judges {
  onAnswer?: (status: number) => boolean
  onFailure?: (problem: HttpProblem) => boolean
}

/** Lets bodies of any kind flow through the routes of an app unread, as `passOn` sends them. */
export function streamBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  // Not the request itself: when the first computer refuses before it has all of a body, what reads from the request is destroyed, and the one who
  // sends must still be told why.
  app.addContentTypeParser('*', (_request, body, done) => done(null, Readable.from(body.iterator({ destroyOnReturn: false }), { objectMode: false })))
}

/**
 * Sends a request on to a first computer and its answer back, both as they flow. What the answer says stays as it is, status and headers too, so that
 * claims mean the same here as there; only names are changed. No answer is refused with 503, and a refusal of the master itself with 502, because a
 * worker tries again after both. Nothing is tried twice here.
 */
export function passOn(request: FastifyRequest, reply: FastifyReply, link: FirstComputerLink, options: PassOnOptions, judges: Judges = {}): FastifyReply {
  const { role, path, body, job, rename, hasQuery = true, isPatient = false, location: named = link.rename.location } = options
  const hooks: FastifyReplyFromHooks = {
    retryDelay: () => null,
    ...(hasQuery ? {} : { queryString: () => '' }),
    ...(isPatient ? { timeout: 0 } : {}),
    ...(body === undefined ? {} : { body }),
    rewriteRequestHeaders(_, headers) {
      const { authorization: _own, cookie: _session, expect: _answered, ...others } = headers
      const { authorization, via } = link.headersFor(role ?? 'worker', viaOf(request))
      return { ...others, via, ...(role === undefined ? {} : { authorization }), ...(job === undefined ? {} : { [jobHeader]: job }) }
    },
    rewriteHeaders: ({ location, link: next, ...others }) => {
      const headers = typeof next === 'string' ? { ...others, link: next.replace(/(?<=<)[^>]+/, named) } : others
      if (location === undefined) return headers
      return { ...headers, location: named(location.startsWith(`${link.url}/`) ? location.slice(link.url.length) : location) }
    },
    onError(_, { error }) {
      if (request.raw.socket.destroyed) return
      const problem = link.failed((error.cause as Error | undefined) ?? error)
      if (judges.onFailure?.(problem) !== true) void reply.send(problem)
    },
    onResponse(_request, _reply, { stream }) {
      const status = reply.statusCode
      // The rest of a body that was refused early is read and dropped, and the connection lives on.
      reply.removeHeader('connection')
      if (isRefusal(status) && role !== undefined) {
        leave(reply, stream)
        const problem = link.refused(status)
        if (judges.onFailure?.(problem) !== true) void reply.send(problem)
      } else if (judges.onAnswer?.(status) === true) leave(reply, stream)
      else if (rename !== undefined && status >= 200 && status < 300 && status !== 204 && request.method !== 'HEAD') {
        reply.removeHeader('content-length')
        renamed(stream, link, rename).then(
          (answer) => reply.send(answer),
          (problem: Error) => reply.send(problem),
        )
      } else void reply.send(stream)
    },
  }
  return reply.from(`${link.url}${path}`, hooks)
}

/** A JSON answer in the names of this master; throws `HttpProblem` when it breaks off or is none. */
async function renamed(stream: Readable, link: FirstComputerLink, rename: (answer: never) => unknown): Promise<unknown> {
  const said = await text(stream).catch((error: Error) => {
    throw link.failed(error)
  })
  return rename(link.parse(said) as never)
}

/** Drops an answer. */
function leave(reply: FastifyReply, stream: Readable): void {
  // What is left unread fails when it is destroyed, and that is meant.
  stream.on('error', () => {}).destroy()
  for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name)
}

/** The way that a request took here. */
export const viaOf = ({ headers: { via } }: FastifyRequest): string | undefined => (Array.isArray(via) ? via.join(', ') : via)

/**
 * Passes a request for something to read on to the first of the first computers that has it. Refuses with 503 when none has it but not all could be
 * asked, unless `othersSuffice`: then what the last one said stands.
 */
export function passOnToFirst(request: FastifyRequest, reply: FastifyReply, links: readonly FirstComputerLink[], options: PassOnOptions & { othersSuffice?: boolean }): FastifyReply {
  const { othersSuffice = false, ...passed } = options
  const problems = links.map(describeOutage).filter((each) => each !== undefined)
  const left = links.filter((link) => link.outage === undefined)
  const unknown = () => new HttpProblem(503, 'not every first computer could be asked, and no other has this', problems)

  const next = (): FastifyReply => {
    const link = left.shift()
    if (link === undefined) return reply.send(unknown())
    return passOn(request, reply, link, passed, {
      onFailure(problem) {
        problems.push(problem.message)
        next()
        return true
      },
      onAnswer(status) {
        const isAway = status >= 500
        if (isAway) problems.push(`first computer '${link.name}' answered ${status}`)
        if (status !== 404 && !isAway) return false
        if (left.length === 0 && (othersSuffice || problems.length === 0)) return false
        // Only once this answer is dropped.
        setImmediate(next)
        return true
      },
    })
  }
  return next()
}
