import type { Command } from 'commander'
import { IngotError } from '../../errors.ts'
import { askServer } from '../../http-client.ts'
import type { CommandContext } from '../context.ts'
import { serverAddress, withServerAndJson, type ServerOptions } from '../server-options.ts'
import { parseImageReference } from './image-reference.ts'

/** `ingot image remove`: by way of the server, which knows whether a job or another image needs it. */
export const addImageRemove = (image: Command, { print, env, signal }: CommandContext): Command =>
  withServerAndJson(image.command('remove'))
    .description('Removes a version of an image; refused while a job or another image needs it. Its blobs go with the next garbage collection.')
    .argument('<image>', 'NAME:VERSION or NAME@DIGEST')
    .addHelpText('after', '\nExample:\n  ingot image remove debian-12:debian-12-20261123-1')
    .action(async (text: string, options: ServerOptions) => {
      const { name, reference } = parseImageReference(text)
      if (reference === undefined) throw new IngotError('argument-invalid', `image: expected NAME:VERSION or NAME@sha256:DIGEST, because versions are removed one by one, got "${text}"`)
      await askServer(serverAddress(options, { env, signal }), `/v2/${name}/manifests/${reference}`, { method: 'DELETE' })
      print(options.json === true ? JSON.stringify({ name, reference, end: 'removed' }) : `${text}: removed`)
    })
