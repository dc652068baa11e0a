import type { FastifyRequest } from 'fastify'
import type { MachineAnswer } from '../api/credential.ts'

/** Where apt finds the packages, for a worker that asks by HTTPS: at the same host by plain HTTP, for what it gets there is signed. */
export function packagesOf({ protocol, hostname, server }: FastifyRequest): Pick<MachineAnswer, 'packagesUrl'> {
  const bound = server.server.address()
  if (protocol !== 'https' || bound === null || typeof bound === 'string') return {}
  return { packagesUrl: `http://${hostname}:${bound.port}/packages` }
}
