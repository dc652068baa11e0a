import type { Command } from 'commander'
import { IngotError } from '../errors.ts'
import type { ServerAddress } from '../http-client.ts'

/** Options of every command that asks a running server. */
export interface ServerOptions {
  server?: string
  json?: true
}

export const withServer = (command: Command): Command =>
  command.option('--server <url>', 'the first computer or master (default: INGOT_SERVER); the token comes from INGOT_TOKEN')

export const withServerAndJson = (command: Command): Command => withServer(command).option('--json', 'machine-readable output')

/** Which server is meant, and the credential for it. Throws `IngotError` 'argument-invalid' when one of the two is not told. */
export function serverAddress({ server }: ServerOptions, env: NodeJS.ProcessEnv): ServerAddress {
  const url = server ?? env.INGOT_SERVER
  const token = env.INGOT_TOKEN
  if (url === undefined) throw new IngotError('argument-invalid', 'expected the address of a first computer in --server or INGOT_SERVER, got none')
  if (token === undefined) {
    throw new IngotError('argument-invalid', 'expected an operator token in the variable INGOT_TOKEN, got none; make one with: ingot token create --role operator')
  }
  return { url, token }
}
