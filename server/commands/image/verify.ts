import type { Command } from 'commander'
import { renderVerdict } from '../../attest/render-verdict.ts'
import { readPublicKey } from '../../attest/signing-key.ts'
import { verifyImage } from '../../attest/verify-image.ts'
import type { CommandContext } from '../context.ts'
import { createRate } from '../create-rate.ts'
import { parseImageReference } from './image-reference.ts'
import { keyOfPlace, openPlace, withAnyPlace, type AnyPlaceOptions } from './trusted-key.ts'

interface VerifyOptions extends AnyPlaceOptions {
  key?: string
  json?: true
}

const help = `
Examples:
  ingot image verify debian-12 --data /var/lib/ingot
  ingot image verify debian-12 --server http://10.77.0.1:8080 --key ingot.pub`

/** `ingot image verify`: whether an image is what its builder signed. Exits with 1 when it is not. */
export const addImageVerify = (image: Command, { print, showBar, signal, exit, env }: CommandContext): Command =>
  withAnyPlace(
    image
      .command('verify')
      .description('Reads an image back whole and checks signature, provenance, bill of materials and the record of its proof. Exits with 1 on any problem.'),
  )
    .argument('<image>', 'NAME, NAME:VERSION or NAME@DIGEST; a name alone means the newest version')
    .option('--key <file>', 'public key of the first computer that built it (default: that of the first computer asked)')
    .option('--json', 'machine-readable output')
    .addHelpText('after', help)
    .action(async (image: string, options: VerifyOptions) => {
      const { name, reference = 'latest' } = parseImageReference(image)
      const key = options.key === undefined ? await keyOfPlace(options, { env, signal }) : await readPublicKey(options.key)
      const registry = await openPlace(options, { env, signal })
      const verdict = await verifyImage(name, reference, { registry, key, signal, onProgress: createRate({ showBar }) })
      if (options.json === true) print(JSON.stringify(verdict))
      else for (const line of renderVerdict(verdict)) print(line)
      if (!verdict.good) exit(1)
    })
