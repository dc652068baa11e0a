import { Type, type Static } from 'typebox'
import { planDeployRule } from '../../images/plan-deploy.ts'
import { planDiskRule } from '../../images/plan-recipe.ts'
import type { Plan } from '../../images/plan.ts'
import { diskChoiceFields } from '../../images/recipe.ts'
import { diskTargetOf, type DiskTarget } from '../api/disk-plan.ts'
import type { RecipeStore } from '../components/recipe-store.ts'
import { HttpProblem } from '../http/problem.ts'
import type { ImageStore } from '../image-store/open-image-store.ts'

/** What is asked about: one of a recipe, an image and a listed job; with an image, which disk it is to go to. */
export const diskTargetQuerySchema = Type.Object(
  {
    recipe: Type.Optional(Type.String({ minLength: 1 })),
    image: Type.Optional(Type.String({ minLength: 1 })),
    /** Of the image; default: the newest. */
    version: Type.Optional(Type.String({ minLength: 1 })),
    job: Type.Optional(Type.String({ minLength: 1 })),
    ...diskChoiceFields,
  },
  { additionalProperties: false },
)
export type DiskTargetQuery = Static<typeof diskTargetQuerySchema>

/** What a job would write to, and what that job is called: `recipe debian-12`. */
export interface FoundTarget {
  purpose: string
  target: DiskTarget
}
export type FindDiskTarget = (query: DiskTargetQuery) => Promise<FoundTarget>

export interface FindDiskTargetOptions {
  recipes: Pick<RecipeStore, 'load'>
  images: Pick<ImageStore, 'resolve'>
  /** The script of a listed job. */
  planOf: (job: string) => Promise<Plan>
}

/**
 * Finds which disk a job would write, without making its script: that may take minutes. Throws `IngotError` 'recipe-unknown', 'recipe-invalid' or
 * 'image-unknown', and `HttpProblem` 400 when the query asks for nothing or too much.
 */
export function createFindDiskTarget({ recipes, images, planOf }: FindDiskTargetOptions): FindDiskTarget {
  return async ({ recipe, image: name, version, job, ...disk }) => {
    if ([recipe, name, job].filter((each) => each !== undefined).length !== 1) throw new HttpProblem(400, 'expected one of recipe, image and job, got none or several of them')
    if (name === undefined && (version !== undefined || Object.keys(disk).length > 0)) {
      throw new HttpProblem(400, `${[...(version === undefined ? [] : ['version']), ...Object.keys(disk)].join(', ')}: expected only with an image, got it without one`)
    }
    if (recipe !== undefined) return { purpose: `recipe ${recipe}`, target: { rule: planDiskRule((await recipes.load(recipe)).recipe.disk) } }
    if (name !== undefined) {
      const image = await images.resolve(name, version)
      const { architecture, firmware, sectorBytes, diskSizeBytes } = image.config
      const target = { rule: planDeployRule(disk, diskSizeBytes), image: { name, version: image.version, architecture, firmware, sectorBytes } }
      return { purpose: `image ${name}:${image.version}`, target }
    }
    const target = diskTargetOf(await planOf(job!))
    if (target === undefined) throw new HttpProblem(409, `job '${job}' writes to no disk`)
    return { purpose: `job ${job}`, target }
  }
}
