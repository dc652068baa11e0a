import type { Fault } from '../../images/fault.ts'

/** A job server that workers walk. */
export interface WalkedServer {
  url: string
  /** Of its own key or its authority's; there is one where the address begins with `https:`. */
  fingerprint?: string
  /** A worker token made there; without one it takes the credential that the worker was given here. */
  credential?: string
  /** It is the server whose configuration this is. */
  isOwn?: true
}

/** How a server is reached. */
export interface ReachedAt {
  /** By plain HTTP, for example `http://10.77.0.1:8080`. */
  url: string
  https?: { url: string; fingerprint: string }
}

/** Which addresses lead to a server itself: its hosts, and its ports of plain HTTP and of HTTPS, if there is such. */
export interface OwnAddresses {
  hosts: readonly string[]
  port: number
  httpsPort: number | undefined
}

const isOwn = (url: string, { hosts, port, httpsPort }: OwnAddresses): boolean =>
  hosts.some((host) => [`http://${host}:${port}`, ...(httpsPort === undefined ? [] : [`https://${host}:${httpsPort}`])].includes(url.replace(/\/$/, '')))

/** What the schema cannot say. Workers know no authority of the system: without a fingerprint they would trust nobody. */
export const faultsOfServers = (servers: readonly WalkedServer[], own: OwnAddresses): Fault[] =>
  servers.flatMap(({ url, fingerprint }, index) => {
    const path = ['servers', index, 'fingerprint']
    if (url.startsWith('https:') && fingerprint === undefined && !isOwn(url, own)) return [{ path, expected: `that of the server at ${url}, which \`ingot tls show\` tells there`, got: 'nothing' }]
    if (!url.startsWith('https:') && fingerprint !== undefined) return [{ path, expected: 'none for an address that does not begin with https:', got: fingerprint }]
    return []
  })

/** The servers of a configuration, the own one among them marked. */
export const markOwn = (servers: readonly WalkedServer[], own: OwnAddresses): WalkedServer[] => servers.map((each) => (isOwn(each.url, own) ? { ...each, isOwn: true } : each))

/** The servers as workers are to ask them, in order: this one alone unless others are configured, and this one by HTTPS where it has that. */
export const workerServers = (configured: readonly WalkedServer[] | undefined, { url, https }: ReachedAt): WalkedServer[] =>
  (configured ?? [{ url, isOwn: true }]).map((each) => (each.isOwn === true ? { ...each, url, ...https } : each))
