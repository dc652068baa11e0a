import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Response } from 'undici'
import { IngotError } from '../errors.ts'
import type { BlobStore } from './blob-store.ts'
import { hashFile, requireDigest } from './hash-file.ts'
import type { RegistryClient } from './registry-client.ts'

/** The blobs of one repository of another registry. */
export function createRemoteBlobs(client: RegistryClient, name: string): BlobStore {
  const repository = `${client.prefix}${name}`
  const blob = (digest: string) => `${repository}/blobs/${digest}`

  const size = async (digest: string): Promise<number | undefined> => {
    const response = await client.ask('HEAD', blob(digest), { repository, allowed: [404] })
    return response.status === 404 ? undefined : Number(response.headers.get('content-length'))
  }

  /** The registry keeps nothing of it unless all has the digest. */
  async function write(digest: string, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, { maxBytes = Infinity } = {}): Promise<number> {
    const begun = await client.ask('POST', `${repository}/blobs/uploads/`, { repository })
    let upload = locationOf(begun)
    const hash = createHash('sha256')
    let sizeBytes = 0
    let failure: unknown
    const passOn = async function* () {
      try {
        for await (const piece of content) {
          sizeBytes += piece.length
          if (sizeBytes > maxBytes) throw new IngotError('blob-too-large', `blob: expected at most ${maxBytes} bytes, got more`)
          hash.update(piece)
          yield piece
        }
      } catch (error) {
        failure = error
        throw error
      }
    }
    try {
      const headers = { 'content-type': 'application/octet-stream' }
      // When the source breaks, the request breaks by it; the cause is what is told.
      const sent = await client.ask('PATCH', upload, { repository, headers, body: passOn() }).catch((error: unknown) => {
        throw failure ?? error
      })
      upload = locationOf(sent)
      requireDigest(digest, { digest: `sha256:${hash.digest('hex')}`, sizeBytes })
    } catch (error) {
      // The registry drops what it has by itself after a while, if it does not take this.
      await client.ask('DELETE', upload, { repository }).catch(() => {})
      throw error
    }
    upload.searchParams.set('digest', digest)
    await client.ask('PUT', upload, { repository })
    return sizeBytes
  }

  const blobs: BlobStore = {
    size,
    keep: size,
    bytes: async (digest) => buffer(await blobs.read(digest)),
    async read(digest, range) {
      const headers: Record<string, string> = range === undefined ? {} : { range: `bytes=${range.first}-${range.last}` }
      const response = await client.ask('GET', blob(digest), { repository, headers, allowed: [404] })
      if (response.status === 404 || response.body === null) throw new IngotError('blob-unknown', `blob ${digest} is not in the registry`)
      if (range !== undefined && response.status !== 206) throw new IngotError('store-unreachable', `the registry does not serve parts of blobs, it answered ${response.status}`)
      // Pieces as they come, not objects.
      return Readable.from(toldWhenBroken(response.body, digest), { objectMode: false })
    },
    write,
    async adopt(digest, path) {
      requireDigest(digest, await hashFile(path))
      const sizeBytes = await write(digest, createReadStream(path))
      await rm(path)
      return sizeBytes
    },
    async quarantine(digest) {
      // A registry may allow no deletion; then whoever looks after it has to heal it.
      await client.ask('DELETE', blob(digest), { repository, allowed: [404, 405] })
    },
  }
  return blobs
}

async function* toldWhenBroken(body: AsyncIterable<Uint8Array>, digest: string): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw new IngotError('store-unreachable', `blob ${digest}: the registry broke off: ${((error as Error).cause as Error | undefined)?.message ?? (error as Error).message}`, { cause: error })
  }
}

/** Where an upload goes on; it may be relative and may carry a query that has to stay (OCI distribution-spec, "Pushing blobs"). */
function locationOf(response: Response): URL {
  const location = response.headers.get('location')
  if (location === null) throw new IngotError('store-unreachable', `the registry answered ${response.status} to an upload and did not tell where it goes on`)
  return new URL(location, response.url)
}
