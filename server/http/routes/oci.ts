import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { createSharedReads } from '../../image-store/shared-reads.ts'
import type { Role } from '../../api/role.ts'
import { may } from '../auth.ts'
import { asBearer } from '../basic-auth.ts'
import { deleteBlob, getBlob, headBlob } from './oci-blobs.ts'
import type { OciCall, OciHandler, OciRoutesOptions } from './oci-context.ts'
import { OciError, sendOciError } from './oci-error.ts'
import { getCatalog, getTags } from './oci-lists.ts'
import { deleteManifest, getManifest, getReferrers, putManifest } from './oci-manifests.ts'
import { parseOciPath, type OciTarget } from './oci-path.ts'
import { deleteUpload, getUpload, patchUpload, postUpload, putUpload } from './oci-uploads.ts'

const getBase: OciHandler<object> = async (_, { reply }) => reply.send({})

type Handlers = { [Kind in OciTarget['kind']]: Record<string, OciHandler<Extract<OciTarget, { kind: Kind }>>> }

/** Every endpoint of OCI distribution-spec 1.1, with its methods. */
const handlers: Handlers = {
  base: { GET: getBase, HEAD: getBase },
  catalog: { GET: getCatalog },
  blob: { HEAD: headBlob, GET: getBlob, DELETE: deleteBlob },
  uploads: { POST: postUpload },
  upload: { GET: getUpload, PATCH: patchUpload, PUT: putUpload, DELETE: deleteUpload },
  manifest: { HEAD: getManifest, GET: getManifest, PUT: putManifest, DELETE: deleteManifest },
  tags: { GET: getTags },
  referrers: { GET: getReferrers },
}

const reads: ReadonlySet<string> = new Set(['GET', 'HEAD'])

const lists: ReadonlySet<string | undefined> = new Set<OciTarget['kind']>(['catalog', 'tags', 'referrers'])

/** Manifests and versions are removed by people, and what there is is listed to them; an upload is given up by whoever began it. */
export function allowedAt(method: string, target: OciTarget | undefined): readonly Role[] {
  if (reads.has(method)) return lists.has(target?.kind) ? may.look : may.lookOrWork
  return method === 'DELETE' && target?.kind !== 'upload' ? may.change : may.changeOrWork
}

/**
 * The OCI distribution API (distribution-spec 1.1), for workers, which push the image of their job, and for any registry client of an operator, which pulls
 * and pushes what it likes. Bodies flow into the store and are never held whole, except manifests. Credentials come as Bearer, or as the password of
 * Basic with any user name.
 */
export const ociRoutes: FastifyPluginAsync<OciRoutesOptions> = async (app, options) => {
  const sharedReads = createSharedReads()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, body, done) => done(null, body))
  app.setErrorHandler((error, request, reply) => {
    // The sender is still sending, and reads no answer before that is over.
    request.raw.resume()
    sendOciError(error, reply)
    if (reply.statusCode >= 500) request.log.error({ err: error }, 'request failed')
  })

  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { '*': path } = request.params as { '*': string }
    reply.header('docker-distribution-api-version', 'registry/2.0')
    request.headers.authorization = asBearer(request.headers.authorization)
    const target = parseOciPath(path)
    const allowed = allowedAt(request.method, target)
    const identity = await options.authorize(request, allowed)
    const handler = target === undefined ? undefined : (handlers[target.kind] as Handlers[keyof Handlers])[request.method]
    if (target === undefined || handler === undefined) throw new OciError('UNSUPPORTED', `nothing does ${request.method} at /v2/${path}`)
    if ('name' in target) {
      if (!reads.has(request.method)) await options.mayPublish(request, target.name, target.kind === 'manifest' ? target.reference : undefined)
      else if (identity.role === 'worker') await options.mayPull(request, target.name)
    }
    const call: OciCall = { request, reply, options, identity, reads: sharedReads, query: request.query as OciCall['query'] }
    return handler(target as never, call)
  }
  app.route({ method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'], url: '/v2/*', handler: answer })
}
