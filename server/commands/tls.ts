import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { fingerprintOf } from '../../appliance/worker/check-peer.ts'
import { readConfigFile } from '../config.ts'
import { IngotError } from '../errors.ts'
import { authorityPaths, readAuthorityCertificate } from '../tls/authority.ts'
import { ownCertificate, serverCertificatePath } from '../tls/server-certificate.ts'
import { requireGivenCertificate } from '../tls/tls-config.ts'
import type { CommandContext } from './context.ts'

interface ShowOptions {
  data?: string
  config?: string
  json?: true
}

/** What a server of HTTPS is known by. */
interface ShownTls {
  fingerprint: string
  /** The certificate of its authority; none where it was given a certificate. */
  authority?: { path: string; endsAt: string }
  /** What it shows; none before it has started once. */
  certificate?: { path: string; endsAt: string; names: string[] }
}

const help = `
Examples:
  ingot tls show --data /var/lib/ingot
  ingot tls show --config /etc/ingot/ingot.yaml --json`

/** `ingot tls show`: what machines and commands trust a server by. */
export function addTls(program: Command, { print }: CommandContext): Command {
  const tls = program.command('tls').summary('by what a server is trusted').description('HTTPS of a first computer or a master.')
  tls
    .command('show')
    .description('Shows the fingerprint by which machines and commands know a server, and when its certificates end.')
    .option('--data <directory>', 'its data directory')
    .option('--config <file>', 'its configuration, which may give it a certificate')
    .option('--json', 'machine-readable output')
    .addHelpText('after', help)
    .action(async ({ data, config, json }: ShowOptions) => {
      if ((data === undefined) === (config === undefined)) throw new IngotError('argument-invalid', `expected --data DIR or --config FILE, got ${data === undefined ? 'neither' : 'both'}`)
      const shown = data === undefined ? await ofConfig(config!) : await ofDirectory(data)
      if (json === true) return print(JSON.stringify(shown))
      print(shown.fingerprint)
      const { authority, certificate } = shown
      if (authority !== undefined) print(`  authority ${authority.path}, until ${authority.endsAt}`)
      if (certificate !== undefined) print(`  certificate ${certificate.path}, until ${certificate.endsAt}, for ${certificate.names.join(', ')}`)
    })
  return tls
}

async function ofConfig(path: string): Promise<ShownTls> {
  const { tls, dataDirectory } = await readConfigFile(path)
  if (tls === undefined) throw new IngotError('argument-invalid', `${path}: expected a server of HTTPS, got tls: off`)
  if (tls.given === undefined) return ofDirectory(dataDirectory)
  const { fingerprint, own } = requireGivenCertificate(tls.given)
  return { fingerprint, certificate: { path: tls.given.certificatePath, ...factsOf(own) } }
}

async function ofDirectory(data: string): Promise<ShownTls> {
  const authority = await readAuthorityCertificate(data)
  const path = serverCertificatePath(data)
  // It is made when the server starts, and only its owner may read it.
  const own = ownCertificate(await readFile(path, 'utf8').catch(() => ''))
  return {
    fingerprint: fingerprintOf(authority.publicKey),
    authority: { path: authorityPaths(data).certificatePath, endsAt: factsOf(authority).endsAt },
    ...(own === undefined ? {} : { certificate: { path, ...factsOf(own) } }),
  }
}

const factsOf = ({ validTo, subjectAltName = '' }: X509Certificate) => ({
  endsAt: new Date(validTo).toISOString(),
  names: subjectAltName.split(', ').map((each) => each.replace(/^[^:]*:/, '')),
})
