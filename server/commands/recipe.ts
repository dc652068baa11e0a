import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { createRecipeStore, type RecipeStore } from '../components/recipe-store.ts'
import { readConfigFile } from '../config.ts'
import { ownRecipes } from '../own-recipes.ts'
import type { CommandContext } from './context.ts'
import { draftPlan } from './recipe/draft-plan.ts'
import { renderPlan } from './recipe/render-plan.ts'
import { renderTable } from './render-table.ts'

interface RecipeOptions {
  recipes?: string[]
  config?: string
  json?: true
}

const withRecipes = (command: Command): Command =>
  command
    .option('--recipes <folder...>', 'folders with recipes beside those that ship with Ingot')
    .option('--config <file>', 'the configuration of a first computer, which may name such folders')

const withJson = (command: Command): Command => command.option('--json', 'machine-readable output')
const argument = ['<recipe>', 'name of a recipe, or its folder'] as const

async function openRecipes({ recipes = [], config }: RecipeOptions): Promise<RecipeStore> {
  const configured = config === undefined ? [] : (await readConfigFile(config)).recipeDirectories
  return createRecipeStore([...recipes.map((each) => resolve(each)), ...configured, ownRecipes])
}

/** A folder is meant when there is a recipe in it. */
async function find(wanted: string, options: RecipeOptions): Promise<{ name: string; store: RecipeStore }> {
  const folder = resolve(wanted)
  if (!existsSync(join(folder, 'recipe.yaml'))) return { name: wanted, store: await openRecipes(options) }
  return { name: basename(folder), store: createRecipeStore([dirname(folder)]) }
}

/** `ingot recipe list|check|show|plan`: recipes as they lie in their folders; no server is asked. */
export function addRecipe(program: Command, { print, columns }: CommandContext): Command {
  const recipe = program
    .command('recipe')
    .summary('list, check and show recipes, and what they become')
    .description('Recipes as they lie in their folders. No server is asked.')

  withJson(withRecipes(recipe.command('list')))
    .description('Shows every recipe, and which of them are wrong.')
    .addHelpText('after', '\nExample:\n  ingot recipe list --config /etc/ingot/ingot.yaml')
    .action(async (options: RecipeOptions) => {
      const store = await openRecipes(options)
      const all = await Promise.all((await store.names()).map(async (name) => store.load(name).then(({ recipe: { description = '' }, digest }) => ({ name, digest, description, problem: '' }), (error: Error) => ({ name, digest: '', description: '', problem: error.message }))))
      if (options.json === true) return print(JSON.stringify(all))
      for (const line of renderTable(['RECIPE', 'WRONG', 'DESCRIPTION'], all.map(({ name, description, problem }) => [name, problem, description]), columns)) print(line)
    })

  withJson(withRecipes(recipe.command('check')))
    .description('Reads a recipe and all that it names. Everything that is wrong is told at once, with line and field.\nExit code: 0 it can be built, 2 it cannot.')
    .argument(...argument)
    .addHelpText('after', '\nExamples:\n  ingot recipe check ./recipes/web\n  ingot recipe check web --recipes ./recipes')
    .action(async (wanted: string, options: RecipeOptions) => {
      const { name, store } = await find(wanted, options)
      const { digest, files } = await store.load(name)
      print(options.json === true ? JSON.stringify({ name, digest, files: [...files.keys()] }) : `${name}: in order, ${digest}`)
    })

  withJson(withRecipes(recipe.command('show')))
    .description('Prints a recipe as it was written, or with --json as it was understood.')
    .argument(...argument)
    .addHelpText('after', '\nExample:\n  ingot recipe show debian-12-nginx')
    .action(async (wanted: string, options: RecipeOptions) => {
      const { name, store } = await find(wanted, options)
      const loaded = await store.load(name)
      print(options.json === true ? JSON.stringify(loaded.recipe) : (await readFile(join(loaded.folder, 'recipe.yaml'), 'utf8')).trimEnd())
    })

  withJson(withRecipes(recipe.command('plan')))
    .description('Shows what a recipe becomes: the layout of the disk and the steps that a worker performs. Nothing is built; what only a build tells is left open.')
    .argument(...argument)
    .addHelpText('after', '\nExample:\n  ingot recipe plan debian-12')
    .action(async (wanted: string, options: RecipeOptions) => {
      const { name, store } = await find(wanted, options)
      const plan = draftPlan(await store.load(name))
      if (options.json === true) return print(JSON.stringify(plan))
      for (const line of renderPlan(plan, columns)) print(line)
    })
  return recipe
}
