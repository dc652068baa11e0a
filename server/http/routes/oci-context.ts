import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { maxBlobBytes } from '../../image-store/blob-store.ts'
import type { Image, ImageStore } from '../../image-store/open-image-store.ts'
import type { SharedReads } from '../../image-store/shared-reads.ts'
import type { Authorize, Identity } from '../auth.ts'
import { OciError } from './oci-error.ts'

export interface OciRoutesOptions {
  store: ImageStore
  authorize: Authorize
  /** Refuses what a worker wants to read of an image that is not of its job: throws `HttpProblem` 400, 404, 409 or 410. */
  mayPull: (request: FastifyRequest, name: string) => Promise<void>
  /**
   * Refuses a write whose claim is not, or no longer, the one on the job (F5): throws `HttpProblem` 409 or 410. `version` is the version that a manifest
   * is published as and `undefined` for a blob. For a manifest it is asked twice: before anything is read, and right before it is entered.
   */
  mayPublish: (request: FastifyRequest, name: string, version: string | undefined) => Promise<void>
  /** Called once the image of a worker is stored, read back and not visible, before the sender is answered. */
  onReceived: (image: Image, request: FastifyRequest) => Promise<void>
  /** Called once a version that an operator sent is visible. */
  onPublished?: () => void
  /** Called when an operator has taken something off the store. */
  onRemoved?: () => void
}

/** A request to one endpoint, allowed as far as its role goes. */
export interface OciCall {
  request: FastifyRequest
  reply: FastifyReply
  options: OciRoutesOptions
  identity: Identity
  query: Readonly<Record<string, string | undefined>>
  /** Of small blobs, shared by all requests. */
  reads: SharedReads
}

/** Answers one method of one endpoint. */
export type OciHandler<Target> = (target: Target, call: OciCall) => Promise<FastifyReply>

/** Largest blob that this sender may send: a worker sends chunks of a disk, an operator whatever there is room for. */
export const mostBytes = ({ identity }: OciCall): number => (identity.role === 'worker' ? maxBlobBytes : Infinity)

/** Refuses a body that is announced as too large before any of it is read. */
export function checkLength({ request }: OciCall, maxBytes: number): void {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > maxBytes) throw new OciError('SIZE_INVALID', `body: expected at most ${maxBytes} bytes, got ${declared}`)
}

/** The bytes of a request as they come. Leaving off early must not cut the connection: the one who sends is told why first. */
export const bodyOf = ({ request }: OciCall): AsyncIterable<Uint8Array> =>
  ((request.body as Readable | undefined) ?? Readable.from([])).iterator({ destroyOnReturn: false })
