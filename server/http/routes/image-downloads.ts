import { Readable } from 'node:stream'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { imageFormatNames, openImageFile, type OpenedImageFile } from '../../image-store/export/open-image-file.ts'
import { readImageFile } from '../../image-store/export/read-image-file.ts'
import type { BlobRange, BlobStore } from '../../image-store/blob-store.ts'
import type { ImageStore } from '../../image-store/open-image-store.ts'
import type { Authorize } from '../auth.ts'
import { findImage } from '../find-image.ts'
import { addImageDownloadRoute } from '../image-download-route.ts'
import { HttpProblem } from '../problem.ts'
import { parseByteRange } from './byte-range.ts'
import { isNotModified, rangeIfSame } from './preconditions.ts'

export interface ImageDownloadOptions {
  store: ImageStore
  authorize: Authorize
}

/**
 * `GET /images/<name>/<version>/disk.raw`, `disk.qcow2`, `disk.raw.zst` and `disk.tar`: an image as a file, made while it is sent, in single ranges too
 * (RFC 9110, 14), so that whatever broke off goes on where it ended (`curl -C -`, `wget -c`). Its validator is strong: the same only for the same bytes.
 * Every chunk is checked on its way; when one is damaged, the connection breaks off, and the log tells which. `latest` leads to the newest version.
 */
export const imageDownloadRoutes: FastifyPluginAsync<ImageDownloadOptions> = async (app, { store, authorize }) => {
  addImageDownloadRoute(app, {
    authorize,
    async send(request, reply) {
      const { name, version, file: wanted } = request.params
      const image = await findImage(store, name, version)
      // What is newest may change between two parts of a download.
      if (version === 'latest') return reply.header('cache-control', 'no-store').redirect(`/images/${name}/${image.version}/${wanted}`, 302)
      const format = imageFormatNames.find((each) => wanted === `disk.${each}`)!
      return sendImageFile(await openImageFile(store, image, format), store.registry.blobs(name), request, reply)
    },
  })
}

async function sendImageFile(file: OpenedImageFile, blobs: BlobStore, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { sizeBytes, etag, mediaType, fileName } = file
  reply.headers({ etag, 'accept-ranges': 'bytes', 'cache-control': 'private, no-transform' })
  if (isNotModified(request.headers, etag)) return reply.code(304).send()
  // Ranges are of GET alone (RFC 9110, 14.2).
  const range = request.method === 'GET' ? parseByteRange(rangeIfSame(request.headers, etag), sizeBytes) : undefined
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${sizeBytes}`)
    throw new HttpProblem(416, `header Range: expected bytes of ${sizeBytes}, got ${request.headers.range}`)
  }
  const { first, last } = range ?? { first: 0, last: sizeBytes - 1 }
  const content = request.method === 'GET' ? await begin(file, blobs, { first, last }) : undefined
  reply.headers({ 'content-type': mediaType, 'content-disposition': `attachment; filename="${fileName}"`, 'content-length': last - first + 1 })
  if (range !== undefined) reply.code(206).header('content-range', `bytes ${first}-${last}/${sizeBytes}`)
  return reply.send(content)
}

/** The bytes of a range. The first of them are read before anything is answered, so that a store that is away or damaged there is told by the status. */
async function begin(file: OpenedImageFile, blobs: BlobStore, range: BlobRange): Promise<Readable> {
  const bytes = readImageFile(file, blobs, range)
  const first = await bytes.next()
  const all = async function* () {
    if (first.done === true) return
    yield first.value
    yield* bytes
  }
  return Readable.from(all(), { objectMode: false })
}
