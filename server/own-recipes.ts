import { join } from 'node:path'

/** The folder of the recipes that ship with Ingot. */
export const ownRecipes = join(import.meta.dirname, '../images/recipes')
