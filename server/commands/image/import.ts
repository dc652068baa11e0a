import type { Command } from 'commander'
import prettyBytes from 'pretty-bytes'
import { IngotError } from '../../errors.ts'
import { importImages } from '../../image-store/import/import-images.ts'
import type { ImportAs } from '../../image-store/import/plan-import.ts'
import type { CommandContext } from '../context.ts'
import { createRate } from '../create-rate.ts'
import { parseImageReference } from './image-reference.ts'
import { openImages, withPlace, type PlaceOptions } from './place.ts'

/** `ingot image import`: the images of an OCI archive, as `ingot image export --format tar` and skopeo write it. */
export const addImageImport = (image: Command, { print, showBar, signal }: CommandContext): Command =>
  withPlace(image.command('import').description('Takes in the images of an OCI archive, with all that is about them. Everything is checked before anything is visible.'))
    .argument('<file>', 'the archive, as ingot image export --format tar and skopeo copy … oci-archive:FILE write it')
    .option('--json', 'machine-readable output')
    .option('--as <image>', 'NAME:VERSION to store it as, where the archive does not tell or is not to decide')
    .addHelpText('after', '\nExample:\n  ingot image import debian-12-20261123-1.tar --data /var/lib/ingot')
    .action(async (file: string, options: PlaceOptions & { as?: string; json?: true }) => {
      const as = options.as === undefined ? {} : { as: parseAs(options.as) }
      const store = await openImages(options)
      const imported = await importImages(store, file, { ...as, signal, onProgress: createRate({ showBar }) })
      if (options.json === true) return print(JSON.stringify(imported.map(({ image: { name, version, digest }, ...each }) => ({ name, version, digest, ...each }))))
      for (const { image, isNew, blobs, bytes, attachments } of imported) {
        const came = isNew ? `${blobs} of ${image.manifest.layers.length + 1} blobs were new, ${prettyBytes(bytes)}` : 'was there already'
        print(`${image.name}:${image.version}  ${image.digest}  ${came}${attachments === 0 ? '' : `, ${attachments} attached`}`)
      }
    })

function parseAs(text: string): ImportAs {
  const { name, reference } = parseImageReference(text)
  if (reference === undefined || reference.startsWith('sha256:')) throw new IngotError('argument-invalid', `--as: expected NAME:VERSION, got "${text}"`)
  return { name, version: reference }
}
