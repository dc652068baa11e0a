import type { FastifyPluginAsync } from 'fastify'
import { HttpProblem } from '../problem.ts'

/** `GET /authority.crt`: the certificate of the authority that signs for this server, as PEM. Open to everyone, who is to compare its fingerprint by another way. */
export const authorityRoutes: FastifyPluginAsync<{ certificate: string | undefined }> = async (app, { certificate }) => {
  app.get('/authority.crt', async (_, reply) => {
    if (certificate === undefined) throw new HttpProblem(404, 'this server has no authority of its own')
    return reply.type('application/x-pem-file').send(certificate)
  })
}
