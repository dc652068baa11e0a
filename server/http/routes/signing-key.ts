import type { FastifyPluginAsync } from 'fastify'
import type { PublicKey } from '../../attest/signing-key.ts'

/** `GET /signing-key.pub`: the key by which the images of this first computer are verified, as PEM. Open to everyone. */
export const signingKeyRoutes: FastifyPluginAsync<{ publicKey: PublicKey }> = async (app, { publicKey }) => {
  app.get('/signing-key.pub', async (_, reply) => reply.type('application/x-pem-file').send(publicKey.pem))
}
