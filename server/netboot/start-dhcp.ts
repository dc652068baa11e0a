import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { openConflictProbe } from './dhcp/conflict-probe.ts'
import { bootServicePort, serverPort } from './dhcp/codes.ts'
import { openLeaseFile } from './dhcp/lease-file.ts'
import { createLeaseResponder } from './dhcp/lease-responder.ts'
import { LeaseTable } from './dhcp/lease-table.ts'
import { createProxyResponder } from './dhcp/proxy-responder.ts'
import { startDhcpServer } from './dhcp/server.ts'
import type { AddressOptions, NetbootOptions } from './netboot.ts'

export interface Dhcp {
  /** Id of the machine that has an address. */
  machineAt(ipv4: string): string | undefined
  /** Why a machine cannot be the one that asks from an address, for example 'it was given 10.77.0.100'; nothing where others give addresses too. */
  whyNotAt(machine: string, ipv4: string): string | undefined
  close(): Promise<void>
}

/** Starts the mode that the settings ask for: addresses of our own, or proxyDHCP beside those of another server. Throws like `openDhcpSockets`. */
export function startDhcp(options: NetbootOptions, log: Logger): Promise<Dhcp> {
  return options.dhcp === undefined ? startProxyMode(options, log) : startDhcpMode(options, options.dhcp, log)
}

async function startDhcpMode(options: NetbootOptions, dhcp: AddressOptions, log: Logger): Promise<Dhcp> {
  const { interfaceName, address, prefixLength, dataDirectory, httpUrl, policies, allowOtherServers, emit, run, start } = options
  await mkdir(dataDirectory, { recursive: true })
  const leaseFile = openLeaseFile(join(dataDirectory, 'leases.ndjson'))
  const networks = [{ address, prefixLength, range: dhcp.range, router: dhcp.router }, ...dhcp.relayed] as const
  const leases = new LeaseTable({
    ranges: networks.map(({ range }) => range),
    taken: [address, ...networks.flatMap(({ router }) => router ?? []), ...dhcp.nameServers],
    reservations: dhcp.reservations,
    leases: await leaseFile.load(),
  })
  const probe = await openConflictProbe({ interfaceName, address, run })
  const { leaseSeconds, nameServers, domain } = dhcp
  const respond = createLeaseResponder({
    settings: { serverAddress: address, httpUrl, policies, networks, leaseSeconds, nameServers, domain },
    leases,
    leaseFile,
    probe,
    emit,
  })
  try {
    const server = await startDhcpServer({ interfaceName, serverAddress: address, ports: [serverPort], respond, start, log })
    return {
      machineAt: (ipv4) => leases.machineAt(ipv4),
      whyNotAt(machine, ipv4) {
        const given = leases.leaseOf(machine)?.address
        if (allowOtherServers || given === ipv4) return undefined
        return given === undefined ? 'it was given no address here' : `it was given ${given}`
      },
      async close() {
        await server.close()
        await probe.close()
        await leaseFile.close()
      },
    }
  } catch (error) {
    await probe.close()
    throw error
  }
}

async function startProxyMode({ interfaceName, address, httpUrl, policies, emit, start }: NetbootOptions, log: Logger): Promise<Dhcp> {
  const { respond, machineAt } = createProxyResponder({ serverAddress: address, httpUrl, policies }, emit)
  const server = await startDhcpServer({ interfaceName, serverAddress: address, ports: [serverPort, bootServicePort], respond, start, log })
  return { machineAt, whyNotAt: () => undefined, close: () => server.close() }
}
