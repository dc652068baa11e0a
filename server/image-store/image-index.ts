import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Type, type Static } from 'typebox'
import { digestSchema } from '../../images/component.ts'
import { renderFault } from '../../images/fault.ts'
import { findFaults } from '../../images/parse-document.ts'
import { replaceFile } from '../durable-file.ts'
import { IngotError } from '../errors.ts'
import type { ManifestEntry } from './registry.ts'

const refName = 'org.opencontainers.image.ref.name'
const created = 'org.opencontainers.image.created'
const about = 'dev.ingot.subject'

/**
 * `index.json` of an OCI image layout (OCI image-spec 1.1, image-layout.md), one entry for each name of a manifest, oldest first. It is called
 * `name:tag`, or `name@digest` without a tag.
 */
const imageIndexSchema = Type.Object({
  schemaVersion: Type.Literal(2),
  mediaType: Type.Literal('application/vnd.oci.image.index.v1+json'),
  manifests: Type.Array(
    Type.Object({
      mediaType: Type.String(),
      artifactType: Type.Optional(Type.String()),
      digest: digestSchema,
      size: Type.Integer({ minimum: 1 }),
      annotations: Type.Object({
        [refName]: Type.String({ pattern: '^[^:@]+(:[^:@]+|@sha256:[0-9a-f]{64})$' }),
        [created]: Type.String({ format: 'date-time' }),
        [about]: Type.Optional(digestSchema),
      }),
    }),
  ),
})
type ImageIndex = Static<typeof imageIndexSchema>

const indexPath = (directory: string) => join(directory, 'index.json')

/**
 * Every entry, oldest first; none when there is no index yet.
 * Throws `IngotError` 'image-corrupt' when the file is not as we write it: that is never the same as no images.
 */
export async function readIndex(directory: string): Promise<ManifestEntry[]> {
  let text: string
  try {
    text = await readFile(indexPath(directory), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return parseIndex(text, indexPath(directory)).manifests.map(({ mediaType, artifactType, digest, size, annotations }) => {
    const [, name = '', tag] = /^([^:@]+)(?::(.+))?/.exec(annotations[refName])!
    const subject = annotations[about]
    return {
      name,
      ...(tag === undefined ? {} : { tag }),
      mediaType,
      ...(artifactType === undefined ? {} : { artifactType }),
      digest,
      sizeBytes: size,
      storedAt: annotations[created],
      ...(subject === undefined ? {} : { subject }),
    }
  })
}

function parseIndex(text: string, path: string): ImageIndex {
  const unreadable = (problems: string[]) => new IngotError('image-corrupt', `${path} is not an index of images`, { problems })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw unreadable([(error as Error).message])
  }
  const faults = findFaults(imageIndexSchema, value)
  if (faults.length > 0) throw unreadable(faults.map(renderFault))
  return value as ImageIndex
}

/** Replaces the index atomically and durably: readers see the old list or the new one. */
export async function writeIndex(directory: string, entries: readonly ManifestEntry[]): Promise<void> {
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: entries.map(({ name, tag, mediaType, artifactType, digest, sizeBytes, storedAt, subject }) => ({
      mediaType,
      ...(artifactType === undefined ? {} : { artifactType }),
      digest,
      size: sizeBytes,
      annotations: {
        [refName]: tag === undefined ? `${name}@${digest}` : `${name}:${tag}`,
        [created]: storedAt,
        ...(subject === undefined ? {} : { [about]: subject }),
      },
    })),
  }
  await replaceFile(indexPath(directory), `${JSON.stringify(index, undefined, 2)}\n`)
}
