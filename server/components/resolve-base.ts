import type { Recipe } from '../../images/recipe.ts'
import type { ResolvedComponents } from '../../images/plan-recipe.ts'
import { parseSize, renderSize } from '../../images/size.ts'
import type { ImageConfig } from '../api/image.ts'
import { IngotError } from '../errors.ts'
import type { ImageStore } from '../image-store/open-image-store.ts'

/**
 * The image that a recipe starts from, pinned by its digest; nothing for a recipe that does not. `pinned` is the digest that was meant when the job was made.
 * Throws `IngotError` 'image-unknown' when there is none, 'recipe-invalid' naming all that does not go together.
 */
export async function resolveBase(recipe: Recipe, images: Pick<ImageStore, 'resolve'>, pinned?: string): Promise<ResolvedComponents['from']> {
  if (recipe.from === undefined) return undefined
  const [name = '', wanted] = recipe.from.split(':')
  const { version, digest, config } = await images.resolve(name, pinned ?? wanted)
  const problems = findMismatches(recipe, config)
  if (problems.length > 0) throw new IngotError('recipe-invalid', `recipe ${recipe.name} cannot start from ${name}:${version}: ${problems[0]}`, { problems })
  return { image: name, version, digest }
}

function findMismatches({ architecture, firmware, disk, install = [] }: Recipe, base: ImageConfig): string[] {
  const makesBootable = install.some((step) => 'bootloader' in step)
  const missing = makesBootable ? [] : firmware.filter((each) => !base.firmware.includes(each))
  const size = parseSize(disk.size)!
  return [
    ...(architecture === base.architecture ? [] : [`architecture: expected ${base.architecture}, which the image is for, got ${architecture}`]),
    ...(missing.length === 0 ? [] : [`firmware: expected ${base.firmware.join(', ')}, which the image boots with, or a bootloader step, got ${missing.join(', ')}`]),
    ...(size >= base.diskSizeBytes ? [] : [`disk.size: expected at least ${renderSize(base.diskSizeBytes)}, which the image has, got ${renderSize(size)}`]),
    ...(base.partitions.some(({ mountPoint }) => mountPoint === '/') ? [] : ['from: expected an image that tells which partition is mounted at /, got one that does not']),
  ]
}
