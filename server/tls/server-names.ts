import { isIPv4 } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'

export interface NamesOptions {
  /** IPv4; `0.0.0.0` is every address of the host. */
  address: string
  /** Further ones, from the configuration. */
  names: readonly string[]
  interfaces?: ReturnType<typeof networkInterfaces>
  hostName?: string
}

/** Names and addresses that a server can be asked at, each once and in order, for its certificate. */
export function serverNames({ address, names, interfaces = networkInterfaces(), hostName = hostname() }: NamesOptions): string[] {
  const own = Object.values(interfaces).flatMap((each = []) => each.flatMap(({ family, address: found }) => (family === 'IPv4' ? [found] : [])))
  const addresses = address === '0.0.0.0' ? own : [address]
  // A host may be called anything; what is no name of the DNS cannot stand in a certificate.
  const hostNames = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/.test(hostName) ? [hostName.toLowerCase()] : []
  return [...new Set([...addresses, '127.0.0.1', 'localhost', ...hostNames, ...names.map((name) => name.toLowerCase())])].toSorted()
}

/** As a certificate has them (RFC 5280, 4.2.1.6), for openssl: `IP:10.77.0.1, DNS:localhost`. */
export const renderAlternativeNames = (names: readonly string[]): string => names.map((name) => `${isIPv4(name) ? 'IP' : 'DNS'}:${name}`).join(', ')

/** Whether a certificate with these alternative names, as Node tells them, names each of `names`. */
export const namesAll = (subjectAltName: string | undefined, names: readonly string[]): boolean => {
  const told = new Set((subjectAltName ?? '').split(', '))
  return names.every((name) => told.has(isIPv4(name) ? `IP Address:${name}` : `DNS:${name}`))
}
