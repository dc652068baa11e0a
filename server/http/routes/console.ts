import type { FastifyPluginAsync } from 'fastify'
import { assetPath, type ConsoleFiles } from '../../web/build-console.ts'
import { HttpProblem } from '../problem.ts'
import { securePages } from '../secure-pages.ts'

/** Another content has another name. */
const forEver = 'public, max-age=31536000, immutable'

/**
 * The console: `GET /` is its page, and below `/console/` is what that loads. None of it is secret; what it shows is asked for with the session of who
 * signed in. It is bundled when it is first asked for.
 */
export const consoleRoutes: FastifyPluginAsync<{ build: () => Promise<ConsoleFiles> }> = async (app, { build }) => {
  await securePages(app)
  let built: Promise<ConsoleFiles> | undefined
  const files = (): Promise<ConsoleFiles> =>
    (built ??= build().catch((error: unknown) => {
      built = undefined
      throw error
    }))

  app.get('/', async (_request, reply) => {
    const { page } = await files()
    return reply.type(page.type).header('cache-control', 'no-cache').send(page.content)
  })

  app.get<{ Params: { file: string } }>(`${assetPath}:file`, async (request, reply) => {
    const file = (await files()).assets.get(request.params.file)
    if (file === undefined) throw new HttpProblem(404, `nothing of the console is called ${request.params.file}`)
    return reply.type(file.type).header('cache-control', forEver).send(file.content)
  })
}
