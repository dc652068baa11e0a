import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Type, type Static } from 'typebox'
import { digestSchema } from '../../images/component.ts'
import { renderFault } from '../../images/fault.ts'
import { findFaults } from '../../images/parse-document.ts'
import { mediaTypes } from '../api/media-types.ts'
import { replaceFile } from '../durable-file.ts'
import { IngotError } from '../errors.ts'

const refName = 'org.opencontainers.image.ref.name'
const created = 'org.opencontainers.image.created'

/** `index.json` of an OCI image layout (OCI image-spec 1.1, image-layout.md), one entry for each published version, oldest first. */
const imageIndexSchema = Type.Object({
  schemaVersion: Type.Literal(2),
  mediaType: Type.Literal('application/vnd.oci.image.index.v1+json'),
  manifests: Type.Array(
    Type.Object({
      mediaType: Type.Literal(mediaTypes.manifest),
      artifactType: Type.Literal(mediaTypes.artifact),
      digest: digestSchema,
      size: Type.Integer({ minimum: 1 }),
      annotations: Type.Object({ [refName]: Type.String({ pattern: '^[^:]+:[^:]+$' }), [created]: Type.String({ format: 'date-time' }) }),
    }),
  ),
})
type ImageIndex = Static<typeof imageIndexSchema>

/** A published version of an image, for example `{ name: 'debian-12', version: 'debian-12-20261123-1', digest: 'sha256:…', … }`. */
export interface ImageVersion {
  name: string
  version: string
  /** Of the manifest. */
  digest: string
  manifestBytes: number
  /** RFC 3339. */
  publishedAt: string
}

const indexPath = (directory: string) => join(directory, 'index.json')

/**
 * Every published version, oldest first; none when there is no index yet.
 * Throws `IngotError` `image-corrupt` when the file is not as we write it: that is never the same as no images.
 */
export async function readIndex(directory: string): Promise<ImageVersion[]> {
  let text: string
  try {
    text = await readFile(indexPath(directory), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return parseIndex(text, indexPath(directory)).manifests.map(({ digest, size, annotations }) => {
    const [name = '', version = ''] = annotations[refName].split(':')
    return { name, version, digest, manifestBytes: size, publishedAt: annotations[created] }
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
export async function writeIndex(directory: string, versions: readonly ImageVersion[]): Promise<void> {
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: versions.map(({ name, version, digest, manifestBytes, publishedAt }) => ({
      mediaType: mediaTypes.manifest,
      artifactType: mediaTypes.artifact,
      digest,
      size: manifestBytes,
      annotations: { [refName]: `${name}:${version}`, [created]: publishedAt },
    })),
  }
  await replaceFile(indexPath(directory), `${JSON.stringify(index, undefined, 2)}\n`)
}
