import { join } from 'node:path'

/** The parts of `bench netboot`, in the order in which they are measured. */
export const parts = ['dhcp', 'tftp', 'http', 'storm'] as const
export type Part = (typeof parts)[number]

/** What `bench netboot` was asked for. */
export interface NetbootBenchOptions {
  parts: readonly Part[]
  /** How often each side is measured, in turn. */
  rounds: number
  /** Machines of the boot storm. */
  machines: number
  /** One line of JSON in place of the tables. */
  json: boolean
}

/** What `inside.ts` gets as its argument. */
export interface NetbootBenchTask {
  options: NetbootBenchOptions
  /** Where it finds and keeps things; what is in it goes with each run. */
  directory: string
}

export const benchDirectory = (cacheDirectory: string): string => join(cacheDirectory, 'bench', 'netboot')

/** Who serves what. Kea and nginx do one thing each; dnsmasq has no HTTP, and serves the boot storm together with nginx. */
export const servers = ['ingot', 'dnsmasq', 'kea', 'tftpd-hpa', 'nginx', 'dnsmasq + nginx'] as const
export type ServerName = (typeof servers)[number]

export const dhcpServers = ['ingot', 'dnsmasq', 'kea'] as const satisfies readonly ServerName[]
export const tftpServers = ['ingot', 'dnsmasq', 'tftpd-hpa'] as const satisfies readonly ServerName[]
export const httpServers = ['ingot', 'nginx'] as const satisfies readonly ServerName[]
export const stormServers = ['ingot', 'dnsmasq + nginx'] as const satisfies readonly ServerName[]

/** How many clients fetch at once, by TFTP and by HTTP. */
export const clientCounts = [1, 50] as const

/** Block and window sizes that are asked for by TFTP. */
export const transferSizes = [512, 1428].flatMap((blockBytes) => [1, 8].map((windowBlocks) => ({ blockBytes, windowBlocks })))
