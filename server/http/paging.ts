import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import { HttpProblem } from './problem.ts'

/** How many of a list are asked for, and after which: left out, the whole list. */
export const pagingFields = {
  limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,5}$', description: 'a whole number from 1' })),
  after: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'what the last one of the page before is called' })),
}
export const pagingSchema = Type.Object(pagingFields, { additionalProperties: false })
export type Paging = Static<typeof pagingSchema>

/** What of a list is to be answered; `next` is what the following page comes after, when there is one. */
export interface Page<Item> {
  items: Item[]
  next?: string
}

/** Throws `HttpProblem` 410 when what it is to come after has left the list since. */
export function pageOf<Item>(items: readonly Item[], nameOf: (item: Item) => string, { limit, after }: Paging): Page<Item> {
  const last = after === undefined ? -1 : items.findIndex((item) => nameOf(item) === after)
  if (after !== undefined && last === -1) throw new HttpProblem(410, `after: '${after}' is not on the list any more; ask again from its beginning`)
  const rest = items.slice(last + 1)
  if (limit === undefined || rest.length <= Number(limit)) return { items: rest }
  const page = rest.slice(0, Number(limit))
  return { items: page, next: nameOf(page.at(-1)!) }
}

/** Tells where the next page is, when there is one: `Link: </jobs.json?limit=100&after=web-7>; rel="next"` (RFC 8288). */
export function linkNext(request: FastifyRequest, reply: FastifyReply, next: string | undefined): void {
  if (next === undefined) return
  const [path, query] = request.url.split('?', 2)
  const asked = new URLSearchParams(query)
  asked.set('after', next)
  reply.header('link', `<${path}?${asked}>; rel="next"`)
}
