import type { Command } from 'commander'
import prettyBytes from 'pretty-bytes'
import type { BootResult, ProofRecord } from '../../api/proof.ts'
import type { Image } from '../../image-store/open-image-store.ts'
import { readProof } from '../../prove/attach-proof.ts'
import { describeBoot } from '../../prove/prove.ts'
import { renderProof } from '../../prove/render-proof.ts'
import type { CommandContext } from '../context.ts'
import { parseImageReference } from './image-reference.ts'
import { openImages, withPlace, type PlaceOptions } from './place.ts'

/** `ingot image show`: what an image is, where it was made and of what, and how it was proven. */
export const addImageShow = (image: Command, { print }: CommandContext): Command =>
  withPlace(image.command('show').description('Shows what an image is, where it was made and of what, and how it was proven.'))
    .argument('<image>', 'NAME, NAME:VERSION or NAME@DIGEST; a name alone means the newest version')
    .option('--json', 'machine-readable output')
    .addHelpText('after', '\nExample:\n  ingot image show debian-12 --data /var/lib/ingot')
    .action(async (text: string, options: PlaceOptions & { json?: true }) => {
      const { name, reference } = parseImageReference(text)
      const store = await openImages(options)
      const found = await store.resolve(name, reference)
      const proof = await readProof(store.registry, found)
      if (options.json === true) return print(JSON.stringify({ ...found, manifest: undefined, proof: proof ?? null }))
      for (const line of renderImage(found, proof)) print(line)
    })

/** What is known of an image, one line for each fact. */
export function renderImage(image: Image, proof: ProofRecord | undefined): string[] {
  const { config, manifest, name, version, digest, publishedAt } = image
  const blobBytes = manifest.layers.reduce((sum, layer) => sum + layer.size, manifest.config.size)
  const facts: [string, string][] = [
    ['digest', digest],
    ['published', publishedAt],
    ['disk', `${prettyBytes(config.diskSizeBytes, { binary: true })}, stored in ${prettyBytes(blobBytes)}`],
    ['boots with', config.firmware.join(', ')],
    ['recipe', `${config.recipe.name}, ${config.recipe.digest}`],
    ['made', [`${config.builtAt} by ${config.machine}, job ${config.job}`, ...Object.entries(config.programs ?? {}).map((each) => each.join(' '))].join(', ')],
    ['packages', String(config.packages.length)],
    ['proof', renderProof(proof)],
  ]
  const proven = proof?.proof === 'booted' ? proof : undefined
  return [
    `${name}:${version}`,
    ...facts.map(([fact, text]) => `  ${fact.padEnd(12)} ${text}`),
    ...(proven?.boots.flatMap(renderBoot) ?? []),
    ...(proven === undefined ? [] : [`  ${'proven'.padEnd(12)} ${[proven.provenAt, ...Object.entries(proven.programs).map((each) => each.join(' ')), proven.accelerator].join(', ')}`]),
  ]
}

const renderBoot = (boot: BootResult): string[] => [
  `    ${describeBoot(boot)}: login prompt after ${boot.loginSeconds} s, all checks passed after ${boot.seconds} s`,
  ...boot.checks.map(({ check, seconds }) => `      ${check}, ${seconds} s`),
]
