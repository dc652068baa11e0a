import type { Run } from '../../appliance/run.ts'
import { openAuthority } from './authority.ts'
import type { Identity } from './given-certificate.ts'
import { openServerCertificate } from './server-certificate.ts'
import { serverNames } from './server-names.ts'
import { requireGivenCertificate, type TlsConfig } from './tls-config.ts'

/** What a server shows to those who ask it by HTTPS. */
export interface Tls {
  /** What machines and commands trust it by: of the key of its authority, or of its own where it was given a certificate. */
  readonly fingerprint: string
  /** In PEM: what a client of TLS that knows no fingerprints trusts. A given certificate has an authority of its own. */
  readonly authorityCertificate: string | undefined
  /** Certificate and key as they are to be shown now: made anew before they end, and when the addresses of the host have changed. */
  identity(): Promise<Identity>
}

export interface OpenTlsOptions {
  config: TlsConfig
  dataDirectory: string
  /** Where the server listens, IPv4; `0.0.0.0` is every address of the host. */
  address: string
  /** Further addresses that machines reach it by. */
  reachedAt?: readonly string[]
  run: Run
  now?: () => number
}

/** Takes the certificate that is given, or makes an authority in the data directory and lets it sign for this server. Throws `IngotError` 'data-invalid', 'config-invalid' and 'host-lacks'. */
export async function openTls({ config: { given, names }, dataDirectory, address, reachedAt = [], run, now = Date.now }: OpenTlsOptions): Promise<Tls> {
  if (given !== undefined) {
    const { fingerprint } = requireGivenCertificate(given)
    return { fingerprint, authorityCertificate: undefined, identity: async () => requireGivenCertificate(given) }
  }
  let shown: Identity | undefined
  const authority = await openAuthority(dataDirectory, { run, now })
  return {
    fingerprint: authority.fingerprint,
    authorityCertificate: authority.certificate.toString(),
    async identity() {
      shown = await openServerCertificate({ dataDirectory, authority, names: serverNames({ address, names: [...names, ...reachedAt] }), shown, run, now })
      return shown
    },
  }
}
