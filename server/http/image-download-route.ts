import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { imageNamePattern, imageVersionPattern } from '../api/image.ts'
import { imageFormatNames } from '../image-store/export/open-image-file.ts'
import { may, type Authorize, type Identity } from './auth.ts'
import { acceptBasicAuth } from './basic-auth.ts'

export interface ImageDownloadParams {
  name: string
  /** Or a digest, or `latest`. */
  version: string
  file: `disk.${(typeof imageFormatNames)[number]}`
}

const params = {
  type: 'object',
  properties: {
    name: { type: 'string', pattern: imageNamePattern },
    version: { type: 'string', pattern: `${imageVersionPattern}|^sha256:[0-9a-f]{64}$` },
    file: { enum: imageFormatNames.map((format) => `disk.${format}`) },
  },
  required: ['name', 'version', 'file'],
} as const

export interface ImageDownloadRoute {
  authorize: Authorize
  /** Answers one who may look. */
  send(request: FastifyRequest<{ Params: ImageDownloadParams }>, reply: FastifyReply, asker: Identity): Promise<FastifyReply>
}

/** Where an image is to be had as a file, at a first computer and at a master: the name, a version or digest, and `disk.` with the ending of a format. */
export function addImageDownloadRoute(app: FastifyInstance, { authorize, send }: ImageDownloadRoute): void {
  acceptBasicAuth(app)
  app.route<{ Params: ImageDownloadParams }>({
    method: ['GET', 'HEAD'],
    url: '/images/:name/:version/:file',
    schema: { params },
    handler: async (request, reply) => send(request, reply, await authorize(request, may.look)),
  })
}
