import type { Command } from 'commander'
import { parsePublicKey, readOwnPublicKey, type PublicKey } from '../../attest/signing-key.ts'
import { IngotError } from '../../errors.ts'
import { agentFor, askServer } from '../../http-client.ts'
import { createRegistryClient } from '../../image-store/registry-client.ts'
import type { Registry } from '../../image-store/registry.ts'
import { createRemoteRegistry } from '../../image-store/remote-registry.ts'
import { serverAddress, withServer, type Asker, type ServerOptions } from '../server-options.ts'
import { openImages, readConfig, withPlace, type PlaceOptions } from './place.ts'

/** Images of a first computer that are asked for by HTTP, or where they lie. */
export type AnyPlaceOptions = PlaceOptions & ServerOptions

export const withAnyPlace = (command: Command): Command =>
  withServer(withPlace(command), 'a running first computer instead')

const isServer = ({ data, config, server }: AnyPlaceOptions, { INGOT_SERVER }: NodeJS.ProcessEnv): boolean => {
  const told = Object.entries({ data, config, server }).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`]))
  if (told.length > 1) throw new IngotError('argument-invalid', `expected one of --data, --config and --server, got ${told.join(' and ')}`)
  if (told.length === 0 && INGOT_SERVER === undefined) throw new IngotError('argument-invalid', 'expected --data DIR, --config FILE or --server URL, got none of them')
  return data === undefined && config === undefined
}

/** Where images are read; throws `IngotError` 'argument-invalid' and 'config-invalid'. */
export async function openPlace(options: AnyPlaceOptions, asker: Asker): Promise<Registry> {
  if (!isServer(options, asker.env)) return (await openImages(options)).registry
  const { url, token, signal: _, ...trust } = serverAddress(options, asker)
  return createRemoteRegistry(createRegistryClient({ url, credentials: { username: 'ingot', password: token }, dispatcher: agentFor(trust), signal: asker.signal }))
}

/** The public key of the first computer itself; throws `IngotError` 'data-invalid' when it has none, or what `askServer` throws. */
export async function keyOfPlace(options: AnyPlaceOptions, asker: Asker): Promise<PublicKey> {
  if (isServer(options, asker.env)) {
    const address = serverAddress(options, asker)
    const response = await askServer(address, '/signing-key.pub')
    return parsePublicKey(await response.text(), `${address.url}/signing-key.pub`)
  }
  return readOwnPublicKey(options.data ?? (await readConfig(options.config!)).dataDirectory)
}
