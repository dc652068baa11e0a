import type { ImageDetails } from '../../api/image-details.ts'
import { binaryBytes } from '../text.ts'

/** What became of something between two versions; without `before` it is new, without `after` it is gone. */
export interface Difference {
  what: string
  before?: string
  after?: string
}

export interface ImageDifference {
  packages: Difference[]
  /** Disk, partitions, firmware, recipe, worker. */
  configuration: Difference[]
}

/** What changed from one version to another: packages by name, and what the image is. */
export function diffImages(before: ImageDetails, after: ImageDetails): ImageDifference {
  return {
    packages: diffTexts(new Map(before.packages.map(({ name, version }) => [name, version])), new Map(after.packages.map(({ name, version }) => [name, version]))),
    configuration: diffTexts(configurationOf(before), configurationOf(after)),
  }
}

function configurationOf({ diskBytes, sectorBytes, firmware, architecture, recipe, workerVersion, partitions }: ImageDetails): Map<string, string> {
  return new Map([
    ['disk', binaryBytes(diskBytes)],
    ['sectors', `${sectorBytes} bytes`],
    ['firmware', firmware.join(', ')],
    ['architecture', architecture],
    ['recipe', recipe.name],
    ['recipe digest', recipe.digest],
    ['worker', workerVersion],
    ...partitions.map(({ name, sizeBytes, filesystem, mountPoint }): [string, string] => [`partition ${name}`, [binaryBytes(sizeBytes), filesystem, mountPoint].filter(Boolean).join(', ')]),
  ])
}

function diffTexts(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Difference[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted((one, other) => one.localeCompare(other))
  return names.flatMap((what): Difference[] => {
    const [was, is] = [before.get(what), after.get(what)]
    return was === is ? [] : [{ what, ...(was === undefined ? {} : { before: was }), ...(is === undefined ? {} : { after: is }) }]
  })
}
