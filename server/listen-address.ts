import { once } from 'node:events'
import { isIPv4, type Server } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { Fault } from '../images/fault.ts'
import { IngotError } from './errors.ts'

/** Where HTTP listens, `address:port`, as configurations have it. */
export const listenSchema = Type.String({ pattern: '^\\d+\\.\\d+\\.\\d+\\.\\d+:\\d+$', description: 'an address and a port like 192.0.2.1:8080' })

export interface ListenAddress {
  /** IPv4; `0.0.0.0` is every address of the host. */
  address: string
  port: number
}

/** Takes `192.0.2.1:8080` apart. */
export function splitListen(listen: string): ListenAddress {
  const [address = '', port = ''] = listen.split(':')
  return { address, port: Number(port) }
}

/** What the schema cannot say of `listen`. */
export function faultsOfListen({ address, port }: ListenAddress): Fault[] {
  const faults: Fault[] = []
  if (!isIPv4(address)) faults.push({ path: ['listen'], expected: 'an IPv4 address before the colon', got: `"${address}"` })
  if (port > 65535) faults.push({ path: ['listen'], expected: 'a port from 0 to 65535', got: `${port}` })
  return faults
}

/** Where this host itself reaches what listens there, for example `http://127.0.0.1:8080` for `0.0.0.0:8080`. */
export const localUrl = ({ address, port }: ListenAddress): string => `http://${address === '0.0.0.0' ? '127.0.0.1' : address}:${port}`

/**
 * Lets an app listen and returns its `localUrl`; port 0 takes a free one.
 * Throws `IngotError` 'port-in-use' or 'config-invalid' when it cannot.
 */
export async function listenAt(app: FastifyInstance, { address, port }: ListenAddress): Promise<string> {
  await app.listen({ host: address, port }).catch((error: NodeJS.ErrnoException) => {
    throw refusal(error, { address, port }, 'listen')
  })
  const bound = app.server.address()
  return localUrl({ address, port: bound !== null && typeof bound === 'object' ? bound.port : port })
}

/** Lets a server listen; `field` of the configuration says where. Throws as `listenAt` does. */
export async function listenOn(server: Server, { address, port }: ListenAddress, field: string): Promise<void> {
  server.listen({ host: address, port })
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    throw refusal(error, { address, port }, field)
  })
}

function refusal(error: NodeJS.ErrnoException, { address, port }: ListenAddress, field: string): Error {
  if (error.code === 'EADDRINUSE') {
    return new IngotError('port-in-use', `${field}: ${address}:${port} is taken by another program; \`ss -ltnp 'sport = :${port}'\` tells which`, { cause: error })
  }
  if (error.code === 'EADDRNOTAVAIL') return new IngotError('config-invalid', `${field}: expected an address of this host, got ${address}`, { cause: error })
  if (error.code === 'EACCES') return new IngotError('port-in-use', `${field}: port ${port} needs root`, { cause: error })
  return error
}
