import type { FastifyPluginAsync } from 'fastify'
import { Type, type Static } from 'typebox'
import type { AuditAnswer } from '../../api/audit.ts'
import { wasRefused } from '../../audit/audit-log.ts'
import { readAudit } from '../../audit/read-audit.ts'
import { may, type Authorize } from '../auth.ts'
import { linkNext, pagingFields } from '../paging.ts'
import { HttpProblem } from '../problem.ts'

const querySchema = Type.Object(
  {
    limit: pagingFields.limit,
    after: Type.Optional(Type.String({ pattern: '^[0-9]{1,16}-[0-9]{1,16}$', description: 'what the header Link of the page before says' })),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'only what was done with tokens of this name' })),
    refused: Type.Optional(Type.Literal('true', { description: 'only what was refused for want of a right' })),
  },
  { additionalProperties: false },
)

/** However many are asked for: the whole trail may have 128 MiB. */
const mostEntries = 1000

/** `GET /audit.json`: who did what when, in pages of up to 1000 entries. */
export const auditRoutes: FastifyPluginAsync<{ dataDirectory: string; authorize: Authorize }> = async (app, { dataDirectory, authorize }) => {
  app.get<{ Querystring: Static<typeof querySchema> }>('/audit.json', { schema: { querystring: querySchema } }, async (request, reply): Promise<AuditAnswer> => {
    await authorize(request, may.administer)
    const { limit = mostEntries, after, name, refused } = request.query
    const page = await readAudit(dataDirectory, {
      limit: Math.min(Number(limit), mostEntries),
      after,
      accept: (entry) => (name === undefined || entry.name === name) && (refused === undefined || wasRefused(entry)),
    })
    if (page === undefined) throw new HttpProblem(410, `after: '${after}' is not in the trail any more; ask again from its beginning`)
    linkNext(request, reply, page.next)
    return { version: 1, entries: page.entries }
  })
}
