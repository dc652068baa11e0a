import type { Command } from 'commander'
import type { ImageDetails } from '../../api/image-details.ts'
import { IngotError } from '../../errors.ts'
import { askServer, type ServerAddress } from '../../http-client.ts'
import { diffImages } from '../../web/images/diff-images.ts'
import type { CommandContext } from '../context.ts'
import { renderTable } from '../render-table.ts'
import { serverAddress, withServerAndJson, type ServerOptions } from '../server-options.ts'
import { parseImageReference } from './image-reference.ts'

async function read(address: ServerAddress, text: string): Promise<ImageDetails> {
  const { name, reference = 'latest' } = parseImageReference(text)
  if (reference.startsWith('sha256:')) throw new IngotError('argument-invalid', `image: expected NAME or NAME:VERSION, got "${text}"`)
  return (await (await askServer(address, `/images/${name}/${reference}.json`)).json()) as ImageDetails
}

/** `ingot image diff`: the same that the console shows of two versions. */
export const addImageDiff = (image: Command, { print, say, env, signal, columns }: CommandContext): Command =>
  withServerAndJson(image.command('diff'))
    .description('Shows what changed from one image to another: packages, and what the image is.')
    .argument('<before>', 'NAME or NAME:VERSION; a name alone means the newest version')
    .argument('<after>', 'NAME or NAME:VERSION')
    .addHelpText('after', '\nExample:\n  ingot image diff debian-12:debian-12-20261101-1 debian-12')
    .action(async (before: string, after: string, options: ServerOptions) => {
      const address = serverAddress(options, { env, signal })
      const { packages, configuration } = diffImages(await read(address, before), await read(address, after))
      if (options.json === true) return print(JSON.stringify({ configuration, packages }))
      const rows = [...configuration, ...packages].map(({ what, before: was = '', after: is = '' }) => [was === '' ? 'new' : is === '' ? 'gone' : 'changed', what, was, is])
      if (rows.length === 0) return say('the two do not differ')
      for (const line of renderTable(['CHANGE', 'WHAT', 'BEFORE', 'AFTER'], rows, columns)) print(line)
    })
