import type { FastifyPluginAsync } from 'fastify'
import { jobListSchema } from '../../api/job.ts'
import { statusSchema } from '../../api/status.ts'

/** The schemas of the files that people and their programs read and write, by name. Their field `version` counts changes that are not additions. */
const published = { jobs: jobListSchema, status: statusSchema }

/** `GET /schemas/status.json`, `GET /schemas/jobs.json`: JSON Schema 2020-12, rendered from what the server itself checks by. Open to everyone. */
export const schemaRoutes: FastifyPluginAsync = async (app) => {
  for (const [name, schema] of Object.entries(published)) {
    const text = `${JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', title: `Ingot ${name}`, ...schema }, null, 2)}\n`
    app.get(`/schemas/${name}.json`, async (_, reply) => reply.type('application/schema+json').send(text))
  }
}
