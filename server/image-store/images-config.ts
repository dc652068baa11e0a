import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Type, type Static } from 'typebox'
import type { Fault } from '../../images/fault.ts'
import { imageNamePattern } from '../api/image.ts'
import { IngotError } from '../errors.ts'
import type { LayoutRegistry } from './layout-registry.ts'
import { createImageStore, openImageStore, type ImageStore, type ImageStoreOptions } from './open-image-store.ts'
import { createRegistryClient } from './registry-client.ts'
import { createRemoteRegistry } from './remote-registry.ts'
import { openUploads } from './upload-store.ts'

const closed = { additionalProperties: false }

const keepSchema = Type.Object(
  {
    /** So many of the newest versions stay. */
    count: Type.Optional(Type.Integer({ minimum: 1 })),
    /** Versions younger than so many days stay. */
    days: Type.Optional(Type.Number({ minimum: 0 })),
  },
  { ...closed, minProperties: 1 },
)

/** `images` of `ingot.yaml`: how long versions stay, and where they are kept. */
export const imagesSchema = Type.Object(
  {
    /** Which versions of each image stay; all, unless given. */
    keep: Type.Optional(keepSchema),
    /** The same for single images, by name, in place of the above. */
    names: Type.Optional(Type.Record(Type.String({ pattern: imageNamePattern }), Type.Object({ keep: keepSchema }, closed))),
    /** An OCI registry that keeps the images in place of the data directory. */
    registry: Type.Optional(
      Type.Object(
        {
          /** With what stands before every name, for example `https://registry.example:5000/team`. */
          url: Type.String({ format: 'uri', pattern: '^https?://[^?#@]+$' }),
          username: Type.Optional(Type.String({ minLength: 1 })),
          /** File that holds the password and nothing else. Taken relative to the configuration. */
          passwordFile: Type.Optional(Type.String({ minLength: 1 })),
        },
        closed,
      ),
    ),
  },
  closed,
)
export type ImagesConfig = Static<typeof imagesSchema>

/** What the schema cannot say. */
export function faultsOfImages(images: ImagesConfig | undefined, folder: string): Fault[] {
  const { registry, keep, names } = images ?? {}
  if (registry === undefined) return []
  const faults: Fault[] = []
  const refuse = (path: (string | number)[], expected: string, got: string) => void faults.push({ path: ['images', ...path], expected, got })
  const { username, passwordFile } = registry
  if ((username === undefined) !== (passwordFile === undefined)) {
    refuse(['registry'], 'username and passwordFile, or neither', username === undefined ? 'passwordFile only' : 'username only')
  }
  if (passwordFile !== undefined && !existsSync(resolve(folder, passwordFile))) {
    refuse(['registry', 'passwordFile'], 'a file', `${resolve(folder, passwordFile)} does not exist`)
  }
  for (const [key, value] of Object.entries({ keep, names })) {
    if (value !== undefined) refuse([key], 'nothing beside `registry`, which keeps and removes versions by rules of its own', 'a rule')
  }
  return faults
}

/** The same with paths taken relative to the configuration. */
export function resolveImages(images: ImagesConfig | undefined, folder: string): ImagesConfig {
  const { registry } = images ?? {}
  if (registry?.passwordFile === undefined) return images ?? {}
  return { ...images, registry: { ...registry, passwordFile: resolve(folder, registry.passwordFile) } }
}

export type ConfiguredImages = { store: ImageStore; layout?: ImageStore & { registry: LayoutRegistry } }

/**
 * The images where the configuration has them: in `images` of the data directory, then also as `layout`, or in a registry.
 * Throws `IngotError` 'config-invalid' when the password cannot be read.
 */
export async function openConfiguredImages(images: ImagesConfig, dataDirectory: string, options: ImageStoreOptions = {}): Promise<ConfiguredImages> {
  const directory = join(dataDirectory, 'images')
  if (images.registry === undefined) {
    const layout = await openImageStore(directory, options)
    return { store: layout, layout }
  }
  const { url, username, passwordFile } = images.registry
  const credentials = username === undefined || passwordFile === undefined ? {} : { credentials: { username, password: await readPassword(passwordFile) } }
  const uploads = await openUploads(join(directory, 'uploads'))
  await uploads.dropAbandoned()
  return { store: createImageStore(createRemoteRegistry(createRegistryClient({ url, ...credentials })), uploads, options) }
}

async function readPassword(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trimEnd()
  } catch (error) {
    throw new IngotError('config-invalid', `images.registry.passwordFile cannot be read: ${(error as Error).message}`, { cause: error })
  }
}
