import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { findFaults } from '../../images/parse-document.ts'
import { fingerprintSchema } from '../api/fingerprint.ts'
import { IngotError } from '../errors.ts'
import type { ServerAddress, Trust } from '../http-client.ts'
import { authorityPaths } from '../tls/authority.ts'
import type { CommandContext } from './context.ts'

/** Options of every command that asks a running server. */
export interface ServerOptions {
  server?: string
  serverFingerprint?: string
  json?: true
}

/** `what` the server is for the command. */
export const withServer = (command: Command, what = 'the first computer or master'): Command =>
  command
    .option('--server <url>', `${what} (default: INGOT_SERVER); the token comes from INGOT_TOKEN`)
    .option('--server-fingerprint <sha256:hex>', 'by which it shows to be the one, as `ingot tls show` tells (default: INGOT_FINGERPRINT)')

export const withServerAndJson = (command: Command): Command => withServer(command).option('--json', 'machine-readable output')

/** What a command that asks a server has of its context. */
export type Asker = Pick<CommandContext, 'env' | 'signal'>

/**
 * Which server is meant, the credential for it, and what ends the asking: Ctrl-C. Throws `IngotError` 'argument-invalid' when one of the two is not told, or
 * the fingerprint is none.
 */
export function serverAddress(options: ServerOptions, { env, signal }: Asker): ServerAddress {
  const url = options.server ?? env.INGOT_SERVER
  const token = env.INGOT_TOKEN
  if (url === undefined) throw new IngotError('argument-invalid', 'expected the address of a first computer in --server or INGOT_SERVER, got none')
  if (token === undefined) {
    throw new IngotError('argument-invalid', 'expected an operator token in the variable INGOT_TOKEN, got none; make one with: ingot token create --role operator')
  }
  return { url, token, signal, ...trust(url, options, env) }
}

/** Where a first computer keeps its data on this host, unless INGOT_DATA says otherwise: what its authority signs for is then trusted without being told. */
const usualData = '/var/lib/ingot'

function trust(url: string, options: ServerOptions, env: NodeJS.ProcessEnv): Trust {
  const fingerprint = options.serverFingerprint ?? env.INGOT_FINGERPRINT
  if (fingerprint === undefined) return url.startsWith('https:') ? { ...authorityOf(env.INGOT_DATA ?? usualData) } : {}
  const where = options.serverFingerprint === undefined ? 'INGOT_FINGERPRINT' : '--server-fingerprint'
  const [fault] = findFaults(fingerprintSchema, fingerprint)
  if (fault !== undefined) throw new IngotError('argument-invalid', `${where}: expected ${fault.expected}, got ${fault.got}`)
  // Else it would be for nothing, and nobody would notice.
  if (!url.startsWith('https:')) throw new IngotError('argument-invalid', `${where}: expected a server of HTTPS beside it, got ${url}`)
  return { fingerprint }
}

function authorityOf(dataDirectory: string): { authority?: string } {
  try {
    return { authority: readFileSync(authorityPaths(dataDirectory).certificatePath, 'utf8') }
  } catch {
    // Another host, or a user who may not look.
    return {}
  }
}
