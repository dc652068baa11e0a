import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import { listedTokenSchema, newTokenSchema, type CreatedToken, type NewToken, type TokenListAnswer } from '../../api/token.ts'
import { tokenId, type Tokens } from '../../tokens.ts'
import { may, type Authorize } from '../auth.ts'
import { linkNext, pageOf, pagingSchema, type Paging } from '../paging.ts'
import { HttpProblem } from '../problem.ts'

const params = Type.Object({ id: listedTokenSchema.properties.id })

/** Credentials of people and scripts: made, listed and ended by an admin. */
export const tokenRoutes: FastifyPluginAsync<{ tokens: Pick<Tokens, 'create' | 'list' | 'revoke'>; authorize: Authorize }> = async (app, { tokens, authorize }) => {
  app.get<{ Querystring: Paging }>('/tokens.json', { schema: { querystring: pagingSchema } }, async (request, reply): Promise<TokenListAnswer> => {
    await authorize(request, may.administer)
    const { items, next } = pageOf(await tokens.list(), ({ id }) => id, request.query)
    linkNext(request, reply, next)
    return { version: 1, tokens: items }
  })

  app.post<{ Body: NewToken }>('/tokens', { schema: { body: newTokenSchema } }, async (request, reply) => {
    await authorize(request, may.administer)
    const credential = await tokens.create(request.body)
    const id = tokenId(credential)
    const listed = (await tokens.list()).find((each) => each.id === id)
    if (listed === undefined) throw new HttpProblem(410, `the token ${id} was revoked as soon as it was made`)
    request.audited = `${listed.role} ${listed.name} ${id}`
    const answer: CreatedToken = { ...listed, credential }
    return reply.code(201).header('cache-control', 'no-store').send(answer)
  })

  app.delete<{ Params: { id: string } }>('/tokens/:id', { schema: { params } }, async (request, reply) => {
    await authorize(request, may.administer)
    const { id } = request.params
    const listed = (await tokens.list()).find((each) => each.id === id)
    if (listed === undefined) throw new HttpProblem(404, `no token has the id ${id}`)
    request.audited = `${listed.role} ${listed.name}`
    await tokens.revoke(id)
    return reply.code(204).send()
  })
}
