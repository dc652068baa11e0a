import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { closest } from 'fastest-levenshtein'
import { renderProblem } from '../../images/parse-document.ts'
import { parseRecipe } from '../../images/parse-recipe.ts'
import type { Recipe } from '../../images/recipe.ts'
import { IngotError } from '../errors.ts'

/** A recipe with the files that it names. */
export interface LoadedRecipe {
  recipe: Recipe
  /** Where it lies. */
  folder: string
  /** sha256 over the recipe's text and its files: another digest means that it would be built differently. */
  digest: string
  /** Contents by path in the recipe's folder. */
  files: ReadonlyMap<string, Buffer>
}

/** The folders under which recipes lie, for example the ones shipped and the user's own; the first that has a name wins. */
export interface RecipeStore {
  /** Names of all recipes, sorted; they need not be valid. */
  names(): Promise<string[]>
  /** Throws `recipe-unknown` with the nearest name, or `recipe-invalid` with every problem. */
  load(name: string): Promise<LoadedRecipe>
}

export function createRecipeStore(directories: readonly string[]): RecipeStore {
  const find = async (): Promise<Map<string, string>> => {
    const found = new Map<string, string>()
    for (const directory of directories) {
      const entries = await readdir(directory, { withFileTypes: true })
      for (const entry of entries) if (entry.isDirectory() && !found.has(entry.name)) found.set(entry.name, join(directory, entry.name))
    }
    return found
  }

  return {
    names: async () => [...(await find()).keys()].sort(),
    async load(name) {
      const folders = await find()
      const folder = folders.get(name)
      if (folder === undefined) {
        const names = [...folders.keys()].sort()
        const nearest = names.length === 0 ? 'there are none' : `nearest: ${closest(name, names)}; all: ${names.join(', ')}`
        throw new IngotError('recipe-unknown', `expected the name of a recipe (${nearest}), got ${name}`)
      }
      return loadRecipe(name, folder)
    },
  }
}

async function loadRecipe(name: string, folder: string): Promise<LoadedRecipe> {
  const path = join(folder, 'recipe.yaml')
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new IngotError('recipe-invalid', `recipe ${name} cannot be read: ${error.message}`, { cause: error })
  })
  const { recipe, problems } = parseRecipe(text)
  if (recipe === undefined) invalid(name, problems.map((problem) => renderProblem(path, problem)))
  if (recipe.name !== name) invalid(name, [`${path}: name: expected ${name}, the name of its folder, got ${recipe.name}`])

  const files = new Map<string, Buffer>()
  const missing: string[] = []
  for (const file of new Set(namedFiles(recipe))) {
    try {
      files.set(file, await readFile(join(folder, file)))
    } catch (error) {
      missing.push(`${path}: expected the file ${file} beside it, got: ${(error as Error).message}`)
    }
  }
  if (missing.length > 0) invalid(name, missing)
  return { recipe, folder, files, digest: digestOf(text, files) }
}

function invalid(name: string, problems: string[]): never {
  throw new IngotError('recipe-invalid', `recipe ${name} cannot be built: ${problems.length === 1 ? problems[0] : `${problems.length} problems`}`, { problems })
}

const namedFiles = (recipe: Recipe): string[] => (recipe.configure ?? []).map((step) => ('script' in step ? step.script : step.file.from))

function digestOf(text: string, files: ReadonlyMap<string, Buffer>): string {
  const hash = createHash('sha256').update(`recipe.yaml\0${Buffer.byteLength(text)}\0${text}`)
  // Each length goes before its bytes, so that no two recipes give one stream.
  for (const [file, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) hash.update(`${file}\0${bytes.byteLength}\0`).update(bytes)
  return `sha256:${hash.digest('hex')}`
}
