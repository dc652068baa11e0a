import type { PolicyRule } from '../../../boot/policy.ts'
import type { BootNetwork } from './network.ts'

/** What every answer needs, whether addresses are ours to give or not. */
export interface BootSettings {
  /** Address of the first computer on the boot network, for example `10.77.0.1`. */
  serverAddress: string
  /** Base of the HTTP service, for example `http://10.77.0.1:8080`. */
  httpUrl: string
  policies: readonly PolicyRule[]
}

/** What the DHCP service hands out. */
export interface DhcpSettings extends BootSettings {
  /** Our own network, and those behind relay agents. */
  networks: readonly [BootNetwork, ...BootNetwork[]]
  leaseSeconds: number
  nameServers: readonly string[]
  domain: string | undefined
}
