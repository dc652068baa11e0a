import type { ComponentRef } from './component.ts'
import type { Deploy } from './deploy.ts'
import type { DiskRule, Plan } from './plan.ts'
import { parseSize } from './size.ts'

/** What a plan needs to know of an image that is to be deployed. */
export interface DeployableImage {
  name: string
  version: string
  /** Digest of its manifest. */
  digest: string
  config: Pick<Plan, 'recipe' | 'architecture' | 'firmware'> & { diskSizeBytes: number; sectorBytes: number; partitions: readonly { mountPoint?: string }[] }
}

/**
 * What a job of kind deploy becomes (B3): write the image, grow it to the disk, make it a system of its own, if it has one that is known. It makes no image,
 * so there is nothing to prove.
 */
export function planDeploy({ image: _image, version: _version, disk = {}, ...identity }: Deploy, { name, version, digest, config }: DeployableImage, tools: ComponentRef): Plan {
  return {
    version: 1,
    recipe: config.recipe,
    architecture: config.architecture,
    firmware: config.firmware,
    tools,
    steps: [
      { kind: 'write-image', image: name, version, digest, disk: planDeployRule(disk, config.diskSizeBytes), sectorBytes: config.sectorBytes },
      { kind: 'grow-disk' },
      ...(config.partitions.some(({ mountPoint }) => mountPoint === '/') ? [{ kind: 'personalise' as const, identity }] : []),
    ],
    proof: 'none',
  }
}

/** Which disk of a machine may be written to deploy an image of a disk of `imageSizeBytes`. */
export function planDeployRule({ minSize, maxSize, ...named }: NonNullable<Deploy['disk']>, imageSizeBytes: number): DiskRule {
  return {
    minSizeBytes: Math.max(imageSizeBytes, minSize === undefined ? 0 : parseSize(minSize)!),
    ...(maxSize === undefined ? {} : { maxSizeBytes: parseSize(maxSize)! }),
    ...named,
  }
}
