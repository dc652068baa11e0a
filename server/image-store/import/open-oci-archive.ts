import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { buffer } from 'node:stream/consumers'
import { extract } from 'tar-stream'
import { Type, type Static } from 'typebox'
import { digestSchema } from '../../../images/component.ts'
import { IngotError } from '../../errors.ts'
import { digestOf, hexOf } from '../digest.ts'
import { maxManifestBytes } from '../open-image-store.ts'
import { parseAs } from '../parse-as.ts'
import { tarBlockBytes } from '../export/tar-header.ts'

/** `index.json` of an image layout as anyone writes it (OCI image-spec 1.1, image-index.md); what it says beyond this is nothing to us. */
const indexSchema = Type.Object({
  schemaVersion: Type.Literal(2),
  manifests: Type.Array(
    Type.Object({
      mediaType: Type.String(),
      digest: digestSchema,
      size: Type.Integer({ minimum: 1 }),
      annotations: Type.Optional(Type.Record(Type.String(), Type.String())),
    }),
  ),
})

/** A manifest that the index of an archive lists, with its bytes, which have the digest. */
export interface ListedManifest {
  digest: string
  mediaType: string
  /** The name that the archive has for it, if any. */
  refName?: string
  bytes: Buffer
}

/** An OCI image layout in a tar: only where things are is kept of it; blobs are read when they are wanted. */
export interface OciArchive {
  manifests: ListedManifest[]
  /** Where the bytes of a blob are said to be; they are not checked. Throws `IngotError` 'image-invalid' when it is not in the archive. */
  read(digest: string): Readable
}

interface Member {
  startBytes: number
  sizeBytes: number
}

/**
 * Opens an OCI archive by one pass through its headers. Nothing is ever written where it says: its files are found by the digests that they should have.
 * Throws `IngotError`: 'argument-invalid' when there is no such file, 'image-invalid' when it is no archive.
 */
export async function openOciArchive(path: string, signal?: AbortSignal): Promise<OciArchive> {
  const members = await listMembers(path, signal)
  const streamOf = ({ startBytes, sizeBytes }: Member): Readable =>
    sizeBytes === 0 ? Readable.from([]) : createReadStream(path, { start: startBytes, end: startBytes + sizeBytes - 1, highWaterMark: 256 * 1024 })
  const find = (name: string): Member => {
    const member = members.get(name)
    if (member === undefined) throw new IngotError('image-invalid', `${path}: expected an OCI archive with the file ${name}, got none`)
    return member
  }
  const readSmall = async (name: string): Promise<Buffer> => {
    const member = find(name)
    const { sizeBytes } = member
    if (sizeBytes > maxManifestBytes) throw new IngotError('image-invalid', `${path}: ${name}: expected at most ${maxManifestBytes} bytes, got ${sizeBytes}`)
    return buffer(streamOf(member))
  }
  const blobName = (digest: string) => `blobs/sha256/${hexOf(digest)}`

  find('oci-layout')
  const index: Static<typeof indexSchema> = parseAs(indexSchema, await readSmall('index.json'), `${path}: index.json`)
  const manifests: ListedManifest[] = []
  for (const { digest, mediaType, annotations } of index.manifests) {
    const bytes = await readSmall(blobName(digest))
    const got = digestOf(bytes)
    if (got !== digest) throw new IngotError('image-invalid', `${path}: manifest: expected the digest ${digest}, got ${got}`)
    const refName = annotations?.['org.opencontainers.image.ref.name']
    manifests.push({ digest, mediaType, ...(refName === undefined ? {} : { refName }), bytes })
  }
  return { manifests, read: (digest) => streamOf(find(blobName(digest))) }
}

async function listMembers(path: string, signal?: AbortSignal): Promise<Map<string, Member>> {
  const found = await stat(path).catch((error: Error) => {
    throw new IngotError('argument-invalid', `${path} cannot be read: ${error.message}`, { cause: error })
  })
  if (!found.isFile()) throw new IngotError('argument-invalid', `${path}: expected a file, got something else`)
  const members = new Map<string, Member>()
  const archive = extract()
  const list = async () => {
    for await (const entry of archive) {
      const { name, type, size } = entry.header
      // `tar` writes `./` before names, when it is given a folder.
      if (type === 'file') members.set(name.replace(/^\.\//, ''), { startBytes: entry.offset + tarBlockBytes, sizeBytes: size })
      entry.resume()
    }
  }
  try {
    await Promise.all([pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), archive as never, ...(signal === undefined ? [] : [{ signal }])), list()])
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw new IngotError('image-invalid', `${path}: expected a tar archive: ${(error as Error).message}`, { cause: error })
  }
  return members
}
