import { pMapIterable } from 'p-map'
import { IngotError } from '../../errors.ts'
import { maxBlobBytes, type BlobRange, type BlobStore } from '../blob-store.ts'
import { chunksAtOnce } from '../open-image-store.ts'
import { readBlob, readLayer } from '../read-blob.ts'
import { verifyStream } from '../verify-stream.ts'
import { whatChunk, type FilePart, type ImageFile, type StoredBlob } from './image-file.ts'

/** Zeros are given in pieces of this many bytes. */
const zeros = Buffer.alloc(256 * 1024)

/** A stretch of a file inside one part, or of zeros between parts. Offsets count from the beginning of the part. */
type Piece = { part: FilePart; from: number; until: number } | { zeroBytes: number }

/**
 * The bytes of a file, or of a range of it, in order. Blobs are read a few ahead and checked against their digests before anything of them is given; memory
 * is bounded by `chunksAtOnce` blobs and chunks whatever the size. Throws `IngotError` 'image-corrupt' telling which part of the image is damaged or
 * missing.
 */
export async function* readImageFile(file: ImageFile, blobs: BlobStore, range: BlobRange = { first: 0, last: file.sizeBytes - 1 }): AsyncGenerator<Uint8Array> {
  const load = async (piece: Piece) => ('zeroBytes' in piece ? piece : slice(await loadPart(piece.part, blobs), piece))
  for await (const loaded of pMapIterable(planPieces(file, range), load, { concurrency: chunksAtOnce })) {
    if (loaded instanceof Uint8Array) yield loaded
    else if ('zeroBytes' in loaded) for (let left = loaded.zeroBytes; left > 0; left -= zeros.length) yield zeros.subarray(0, Math.min(left, zeros.length))
    else yield* loaded
  }
}

function* planPieces({ parts, sizeBytes }: ImageFile, { first, last }: BlobRange): Generator<Piece> {
  const until = Math.min(last + 1, sizeBytes)
  let at = first
  for (const part of parts) {
    const endBytes = part.startBytes + part.lengthBytes
    if (endBytes <= at || part.startBytes >= until) continue
    if (part.startBytes > at) yield { zeroBytes: part.startBytes - at }
    at = Math.max(at, part.startBytes)
    yield { part, from: at - part.startBytes, until: Math.min(endBytes, until) - part.startBytes }
    at = endBytes
  }
  if (at < until) yield { zeroBytes: until - at }
}

/** All of a part, checked. What is larger than any chunk comes as a stream. */
export async function loadPart(part: FilePart, blobs: BlobStore): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  if (part.kind === 'computed') return part.render()
  if (part.kind === 'chunk') return readLayer(blobs, part.layer).catch(damaged(whatChunk(part.layer)))
  const { digest, sizeBytes, what } = part.blob
  return sizeBytes > maxBlobBytes ? streamBlob(blobs, part.blob) : readBlob(blobs, digest, sizeBytes).catch(damaged(what))
}

/** Its last piece is given only when all of it is right. */
async function* streamBlob(blobs: BlobStore, { digest, what }: StoredBlob): AsyncGenerator<Uint8Array> {
  const refuse = damaged(what)
  const content = await blobs.read(digest).catch(refuse)
  yield* verifyStream(content, digest, async (got) => {
    await blobs.quarantine(digest)
    return refuse(new IngotError('image-corrupt', `blob ${digest}: what was stored reads back as ${got}; it was put aside, send it again`))
  })
}

/** What is wrong with a blob of a published image is damage, and told with what the blob is. */
const damaged =
  (what: string) =>
  (error: Error): never => {
    const isDamage = error instanceof IngotError && (['image-corrupt', 'blob-unknown', 'image-invalid'] as const).some((code) => code === error.code)
    throw isDamage ? new IngotError('image-corrupt', `${what} is damaged: ${error.message}`, { cause: error }) : error
  }

function slice(content: Uint8Array | AsyncIterable<Uint8Array>, { from, until }: { from: number; until: number }): Uint8Array | AsyncIterable<Uint8Array> {
  return content instanceof Uint8Array ? content.subarray(from, until) : sliceStream(content, from, until)
}

/** Reads to the end also when only the beginning is wanted: it is right only if all of it is. */
async function* sliceStream(content: AsyncIterable<Uint8Array>, from: number, until: number): AsyncGenerator<Uint8Array> {
  let at = 0
  for await (const bytes of content) {
    const wanted = bytes.subarray(Math.max(0, from - at), Math.max(0, until - at))
    at += bytes.length
    if (wanted.length > 0) yield wanted
  }
}
