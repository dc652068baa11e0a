import type { FastifyPluginAsync } from 'fastify'
import type { RecipeStore } from '../../components/recipe-store.ts'
import { may, type Authorize } from '../auth.ts'

/** `GET /recipes.json`: what jobs can be made from here. */
export const recipeRoutes: FastifyPluginAsync<{ recipes: Pick<RecipeStore, 'names'>; authorize: Authorize }> = async (app, { recipes, authorize }) => {
  app.get('/recipes.json', async (request) => {
    await authorize(request, may.look)
    return { version: 1, recipes: await recipes.names() }
  })
}
