import type { FastifyPluginAsync } from 'fastify'
import { LRUCache } from 'lru-cache'
import pMap from 'p-map'
import { imageNamePattern, imageVersionPattern } from '../../api/image.ts'
import type { ImageDetails, ImageListAnswer } from '../../api/image-details.ts'
import { describeImage, factsOfImage, summariseImage, type ImageFacts } from '../../attest/describe-image.ts'
import type { PublicKey } from '../../attest/signing-key.ts'
import type { ImageStore, ImageVersion } from '../../image-store/open-image-store.ts'
import { may, type Authorize } from '../auth.ts'
import { linkNext, pageOf, pagingSchema, type Paging } from '../paging.ts'
import { findImage } from '../find-image.ts'

export interface ImageDetailRoutesOptions {
  store: ImageStore
  publicKey: PublicKey
  authorize: Authorize
}

/** Versions of which is known what never changes, so that a list reads no manifest twice. */
const mostKnown = 2000
const imagesAtOnce = 8

const params = {
  type: 'object',
  properties: { name: { type: 'string', pattern: imageNamePattern }, version: { type: 'string', pattern: imageVersionPattern } },
  required: ['name', 'version'],
} as const

/** `GET /images.json`, every version of every image with its proof and signature, and `GET /images/<name>/<version>.json`, all that is known of one. */
export const imageDetailRoutes: FastifyPluginAsync<ImageDetailRoutesOptions> = async (app, { store, publicKey, authorize }) => {
  const known = new LRUCache<string, ImageFacts>({ max: mostKnown })
  const factsOf = async ({ name, version, digest }: ImageVersion): Promise<ImageFacts> => {
    const key = `${name}:${version}@${digest}`
    const facts = known.get(key) ?? factsOfImage(await store.resolve(name, version))
    known.set(key, facts)
    return facts
  }

  app.get<{ Querystring: Paging }>('/images.json', { schema: { querystring: pagingSchema } }, async (request, reply): Promise<ImageListAnswer> => {
    await authorize(request, may.look)
    const { items, next } = pageOf((await store.list()).toReversed(), ({ name, version }) => `${name}:${version}`, request.query)
    linkNext(request, reply, next)
    return { version: 1, images: await pMap(items, async (each) => summariseImage(await factsOf(each), store.registry, publicKey), { concurrency: imagesAtOnce }) }
  })

  app.get<{ Params: { name: string; version: string } }>('/images/:name/:version.json', { schema: { params } }, async (request): Promise<ImageDetails> => {
    await authorize(request, may.look)
    const { name, version } = request.params
    return describeImage(await findImage(store, name, version), store.registry, publicKey)
  })
}
