import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { parseConfig, type Config } from '../../config.ts'
import { IngotError } from '../../errors.ts'
import { openConfiguredImages } from '../../image-store/images-config.ts'
import { openImageStore, type ImageStore } from '../../image-store/open-image-store.ts'

/** Where the images of a first computer are: in its data directory, or in the registry that its configuration names. */
export interface PlaceOptions {
  data?: string
  config?: string
}

export const withPlace = (command: Command): Command =>
  command.option('--data <directory>', 'data directory of the first computer').option('--config <file>', 'its configuration, which may name a registry')

export const imagesOf = (data: string): string => join(data, 'images')

/** Throws `IngotError` 'argument-invalid' unless one of the two is told, and 'config-invalid'. */
export async function openImages({ data, config }: PlaceOptions): Promise<ImageStore> {
  if ((data === undefined) === (config === undefined)) {
    throw new IngotError('argument-invalid', `expected --data DIR or --config FILE, got ${data === undefined ? 'neither' : 'both'}`)
  }
  if (data !== undefined) return openImageStore(imagesOf(data))
  const parsed = await readConfig(config!)
  return (await openConfiguredImages(parsed.images, parsed.dataDirectory)).store
}

/** Throws `IngotError` 'config-invalid'. */
export async function readConfig(path: string): Promise<Config> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new IngotError('config-invalid', `the configuration cannot be read: ${error.message}`, { cause: error })
  })
  return parseConfig(text, path)
}
