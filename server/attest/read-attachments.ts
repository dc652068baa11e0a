import { Type, type Static } from 'typebox'
import { digestSchema } from '../../images/component.ts'
import { IngotError } from '../errors.ts'
import { attachmentTag } from '../image-store/attachment-tag.ts'
import { parseAs } from '../image-store/parse-as.ts'
import { readBlob } from '../image-store/read-blob.ts'
import type { Registry, StoredManifest } from '../image-store/registry.ts'
import type { BlobDescriptor } from './attestation-types.ts'
import { problemOf } from './finding.ts'

/** The largest blob of an attachment that is read, in bytes; anyone who may push can attach something. */
const maxBlobBytes = 64 * 1024 * 1024

const attachmentSchema = Type.Object({
  layers: Type.Array(
    Type.Object({
      mediaType: Type.String(),
      digest: digestSchema,
      size: Type.Integer({ minimum: 0 }),
      annotations: Type.Optional(Type.Record(Type.String(), Type.String())),
    }),
  ),
})

export interface ReadAttachment {
  digest: string
  artifactType?: string
  layers: Static<typeof attachmentSchema>['layers']
}

/** All that is attached to a manifest, and what could not be read of it. */
export interface Attachments {
  found: ReadAttachment[]
  problems: string[]
  /** The bytes of a blob; throws as `readBlob` does, and 'image-invalid' when it is too large for what it is. */
  read(blob: Pick<BlobDescriptor, 'digest' | 'size'>): Promise<Buffer>
}

/** Finds attachments by the tags that cosign makes, and by their subject. */
export async function readAttachments(registry: Registry, name: string, digest: string): Promise<Attachments> {
  const problems: string[] = []
  const attempt = async (find: () => Promise<(StoredManifest | undefined)[]>): Promise<StoredManifest[]> => {
    try {
      return (await find()).filter((each) => each !== undefined)
    } catch (error) {
      problems.push(problemOf(error))
      return []
    }
  }
  const stored = [
    ...(await attempt(async () => [await registry.read(name, attachmentTag(digest, 'sig'))])),
    ...(await attempt(async () => [await registry.read(name, attachmentTag(digest, 'att'))])),
    ...(await attempt(() => registry.referrers(name, digest))),
  ]
  const found = new Map<string, ReadAttachment>()
  for (const { digest: own, artifactType, bytes } of stored) {
    try {
      const { layers } = parseAs(attachmentSchema, bytes, `attachment ${own}`)
      found.set(own, { digest: own, ...(artifactType === undefined ? {} : { artifactType }), layers })
    } catch (error) {
      problems.push(problemOf(error))
    }
  }
  return {
    found: [...found.values()],
    problems,
    async read({ digest: wanted, size }) {
      if (size > maxBlobBytes) throw new IngotError('image-invalid', `blob ${wanted}: expected at most ${maxBlobBytes} bytes, got ${size}`)
      return readBlob(registry.blobs(name), wanted, size)
    },
  }
}
