import type { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import { keyOfPlace, withAnyPlace, type AnyPlaceOptions } from './trusted-key.ts'

const help = `
Example:
  ingot image key --data /var/lib/ingot > ingot.pub
  cosign verify --key ingot.pub --insecure-ignore-tlog --allow-http-registry 10.77.0.1:8080/debian-12`

/** `ingot image key`: the public key that images are signed with. */
export const addImageKey = (image: Command, { print, env, signal }: CommandContext): Command =>
  withAnyPlace(image.command('key').description('Prints the public key by which the images of a first computer are verified, as PEM.'))
    .option('--fingerprint', 'only the digest of the key, to compare two')
    .addHelpText('after', help)
    .action(async ({ fingerprint, ...options }: AnyPlaceOptions & { fingerprint?: true }) => {
      const key = await keyOfPlace(options, { env, signal })
      print(fingerprint === true ? key.fingerprint : key.pem.trimEnd())
    })
