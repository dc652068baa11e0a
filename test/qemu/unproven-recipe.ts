import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Puts the shipped recipe into a folder of recipes under the name `unproven`, without its proof and whatever else is changed about it. */
export async function writeUnprovenRecipe(folder: string, change: (recipe: string) => string = (recipe) => recipe): Promise<void> {
  const path = join(folder, 'unproven', 'recipe.yaml')
  await cp(join(import.meta.dirname, '../../images/recipes/debian-12'), join(folder, 'unproven'), { recursive: true })
  await writeFile(path, change(`${(await readFile(path, 'utf8')).replaceAll('name: debian-12', 'name: unproven')}\nproof: none\n`))
}
