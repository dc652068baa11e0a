import type { FastifyPluginAsync } from 'fastify'
import { digestSchema } from '../../images/component.ts'
import { may } from '../http/auth.ts'
import { addImageDownloadRoute } from '../http/image-download-route.ts'
import { splitName } from './job-name.ts'
import { passOn, passOnToFirst } from './pass-on.ts'
import { linkRoleOf, locateByHeader, type MasterContext } from './route-context.ts'

const params = { type: 'object', properties: { digest: digestSchema }, required: ['digest'] } as const

/** What a job needs (B20): components from the first computer of the job, packages from any that has them. */
export const masterDownloadRoutes: FastifyPluginAsync<MasterContext> = async (app, { links, authorize }) => {
  app.get<{ Params: { digest: string } }>('/components/:digest', { schema: { params } }, async (request, reply) => {
    const role = linkRoleOf(await authorize(request, may.lookOrWork), may.lookOrWork)
    const path = `/components/${request.params.digest}`
    const place = locateByHeader(links, request)
    return place === undefined ? passOnToFirst(request, reply, links, { role, path }) : passOn(request, reply, place.link, { role, path, job: place.name })
  })

  // Open to everyone there as here: apt has no credential of ours, and none of the master's goes along.
  app.get<{ Params: { '*': string } }>('/packages/*', async (request, reply) =>
    passOnToFirst(request, reply, links, { role: undefined, path: request.raw.url?.split('?')[0] ?? '', hasQuery: false, othersSuffice: true }),
  )
}

/** Images as files, from the first computer that their version is called after, or from the first that has it; ranges and conditions go along. */
export const masterImageDownloadRoutes: FastifyPluginAsync<MasterContext> = async (app, { links, authorize }) => {
  addImageDownloadRoute(app, {
    authorize,
    async send(request, reply, asker) {
      const role = linkRoleOf(asker, may.look)
      const { name, version, file } = request.params
      const path = (wanted: string) => `/images/${name}/${wanted}/${file}`
      const parts = splitName(version)
      const link = links.find((each) => each.name === parts?.firstComputer)
      if (link !== undefined) return passOn(request, reply, link, { role, path: path(parts!.name) })
      return passOnToFirst(request, reply, links, { role, path: path(version) })
    },
  })
}
