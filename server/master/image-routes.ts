import type { FastifyPluginAsync } from 'fastify'
import { asBearer } from '../http/basic-auth.ts'
import { HttpProblem } from '../http/problem.ts'
import { allowedAt } from '../http/routes/oci.ts'
import { OciError, sendOciError } from '../http/routes/oci-error.ts'
import { sendPage } from '../http/routes/oci-lists.ts'
import { parseOciPath } from '../http/routes/oci-path.ts'
import { imageNames, referrersAt, tagsOf } from './image-lists.ts'
import { splitName } from './job-name.ts'
import { passOn, passOnToFirst, streamBodies, viaOf } from './pass-on.ts'
import { linkRoleOf, locateByHeader, type MasterContext } from './route-context.ts'

/**
 * Images by the OCI distribution API (distribution-spec 1.1). What a worker sends goes to the first computer of its job, as it flows; what is pulled comes
 * from the first that has it. A version is called after its first computer, as jobs are: `web:hall-a.web-1` is `web:web-1` of `hall-a`. Whoever means one
 * first computer, as to push to it, puts its name before that of the image: `hall-a/web:web-1`.
 */
export const masterImageRoutes: FastifyPluginAsync<MasterContext> = async (app, { links, authorize }) => {
  streamBodies(app)
  app.setErrorHandler((error, request, reply) => {
    sendOciError(error, reply)
    if (reply.statusCode >= 500) request.log.warn({ err: error }, 'request failed')
  })

  app.route<{ Params: { '*': string }; Querystring: Record<string, string | undefined> }>({
    method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: '/v2/*',
    async handler(request, reply) {
      request.headers.authorization = asBearer(request.headers.authorization)
      const target = parseOciPath(request.params['*'])
      const allowed = allowedAt(request.method, target)
      const role = linkRoleOf(await authorize(request, allowed), allowed)
      if (target === undefined) throw new OciError('UNSUPPORTED', `nothing is at /v2/${request.params['*']}`)
      const path = request.raw.url?.split('?')[0] ?? ''
      const within = 'name' in target ? links.find(({ name }) => target.name.startsWith(`${name}/`)) : undefined
      if (within !== undefined) {
        const before = `/v2/${within.name}/`
        const location = (at: string) => at.replace(/^\/v2\//, before)
        return passOn(request, reply, within, { role, path: path.replace(before, '/v2/'), location, isPatient: target.kind === 'manifest' })
      }
      const place = locateByHeader(links, request)
      const job = place === undefined ? {} : { job: place.name }

      if (target.kind === 'manifest') {
        const parts = splitName(target.reference)
        const link = place?.link ?? links.find(({ name }) => name === parts?.firstComputer)
        if (link !== undefined) {
          const version = parts?.firstComputer === link.name ? parts.name : target.reference
          // All of an image is read back before a new manifest is answered.
          return passOn(request, reply, link, { role, path: `/v2/${target.name}/manifests/${encodeURIComponent(version)}`, isPatient: true, ...job })
        }
      }
      if (place !== undefined) return passOn(request, reply, place.link, { role, path, ...job })
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        const example = `${links[0]!.name}/${'name' in target ? target.name : 'debian-12'}`
        const other = `an image without a job is called after its first computer, as ${example}`
        throw new HttpProblem(400, `header Ingot-Job: expected the id of the job that this is for, got none; ${other}`)
      }

      const asked = { role, via: viaOf(request) }
      const call = { reply: reply.header('docker-distribution-api-version', 'registry/2.0'), query: request.query }
      if (target.kind === 'base') return reply.send({})
      if (target.kind === 'tags') return sendPage(call, path, await tagsOf(links, target.name, asked), (tags) => ({ name: target.name, tags }))
      if (target.kind === 'catalog') return sendPage(call, path, await imageNames(links, asked), (repositories) => ({ repositories }))
      if (target.kind === 'referrers') {
        if (request.query.artifactType !== undefined) reply.header('oci-filters-applied', 'artifactType')
        const index = await referrersAt(links, request.raw.url ?? path, asked)
        // Sent as bytes: Fastify would add a charset, which this type does not have.
        return reply.type(index.mediaType).send(Buffer.from(JSON.stringify(index)))
      }
      return passOnToFirst(request, reply, links, { role, path })
    },
  })
}
