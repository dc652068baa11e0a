import { HttpProblem } from '../http/problem.ts'
import type { FirstComputerLink } from './first-computer-link.ts'
import { gather, type Gathered } from './gather.ts'

/** The recipes that each first computer knows. */
export const recipeLists = (links: readonly FirstComputerLink[], via: string | undefined): Promise<Gathered<string[]>> =>
  gather(links, async (link) => (await link.ask<{ recipes: string[] }>('/recipes.json', { role: 'operator', via })).recipes)

/** The first of those that know a recipe. Throws 400 that tells what each knows; 503 when one that could know it was not reached. */
export async function chooseByRecipe(recipe: string, links: readonly FirstComputerLink[], via: string | undefined): Promise<FirstComputerLink> {
  const { answers, problems } = await recipeLists(links, via)
  const found = answers.find(({ answer }) => answer.includes(recipe))
  if (found !== undefined) return found.link
  if (problems.length > 0) throw new HttpProblem(503, `no first computer that answers knows the recipe '${recipe}'`, problems)
  throw new HttpProblem(400, `recipe: expected one that a first computer knows, got '${recipe}'`, answers.map(({ link, answer }) => `${link.name}: ${answer.join(', ') || 'none'}`))
}

/** The first of those that have an image. Throws 400 when none has it; 503 when one that could have it was not reached. */
export async function chooseByImage({ image, version = 'latest' }: { image: string; version?: string }, links: readonly FirstComputerLink[], via: string | undefined): Promise<FirstComputerLink> {
  const path = `/v2/${image}/manifests/${encodeURIComponent(version)}`
  const { answers, problems } = await gather(links, async (link) => (await link.ask<object | null>(path, { role: 'operator', via, absent: null })) !== null)
  const found = answers.find(({ answer }) => answer)
  if (found !== undefined) return found.link
  if (problems.length > 0) throw new HttpProblem(503, `no first computer that answers has the image '${image}:${version}'`, problems)
  throw new HttpProblem(400, `deploy: expected an image that a first computer has, got '${image}:${version}'`)
}
