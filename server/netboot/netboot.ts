import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Run, Start } from '../../appliance/run.ts'
import { ipxeScriptUrl, longestFileBytes } from '../../boot/offer.ts'
import type { Emit } from '../event-log.ts'
import { IngotError } from '../errors.ts'
import { loadBootFiles } from './boot-file-map.ts'
import { openLeaseFile } from './dhcp/lease-file.ts'
import { LeaseTable } from './dhcp/lease-table.ts'
import { startDhcpServer } from './dhcp/server.ts'
import { inspectInterface } from './interface.ts'
import { formatIpv4, netmaskOf, parseIpv4 } from './ipv4.ts'
import { startRouterAdvertisement } from './router-advertisement.ts'
import type { FileMap } from './tftp/file-map.ts'
import { startTftpServer } from './tftp/server.ts'

export interface NetbootOptions {
  /** The interface that machines boot from, for example `eth1`. */
  interfaceName: string
  /** Its address and prefix length, for example `10.77.0.1` and 24. */
  address: string
  prefixLength: number
  /** First and last address given to machines. */
  range: { first: string; last: string }
  leaseSeconds: number
  /** Default gateway for the machines; without it they reach this network only. */
  router?: string
  nameServers: readonly string[]
  domain?: string
  /** `leases.json` is kept in it. */
  dataDirectory: string
  /** Base of the HTTP service as machines reach it, for example `http://10.77.0.1:8080`. */
  httpUrl: string
  /** Whether to send IPv6 router advertisements that spare iPXE its wait for one. */
  routerAdvertisements: boolean
  emit: Emit
  log: Logger
  run: Run
  start: Start
}

/** The boot services while they run. */
export interface Netboot {
  /** What TFTP serves, for the HTTP routes to serve too. */
  readonly bootFiles: FileMap
  /** Id of the machine that was given an address, for example `52-54-00-12-34-56` for `10.77.0.100`. */
  machineAt(ipv4: string): string | undefined
  close(): Promise<void>
}

/**
 * Starts DHCP, TFTP and router advertisements on one interface. Throws an `IngotError`: `config-invalid` for settings that do not fit each other
 * or the interface, `host-lacks` for missing boot files, `port-in-use` when another program serves port 67 or 69.
 */
export async function startNetboot(options: NetbootOptions): Promise<Netboot> {
  const { interfaceName, address, range, dataDirectory, httpUrl, emit, log, run, start } = options
  checkAddresses(options)
  const { mtuBytes } = await inspectInterface(options, run)
  const bootFiles = await loadBootFiles(httpUrl)
  await mkdir(dataDirectory, { recursive: true })
  const leaseFile = openLeaseFile(join(dataDirectory, 'leases.json'))
  const reserved = [address, ...(options.router === undefined ? [] : [options.router]), ...options.nameServers]
  const leases = new LeaseTable({ range, reserved, leases: await leaseFile.load() })
  const machineAt = (ipv4: string) => leases.machineAt(ipv4)

  const services: { close(): Promise<void> }[] = []
  const close = async () => void (await Promise.all(services.splice(0).map((service) => service.close())))
  try {
    services.push(
      await startTftpServer({
        address,
        mtuBytes,
        files: bootFiles,
        log: log.child({ service: 'tftp' }),
        onSent({ address: from, ...sent }) {
          const machine = machineAt(from)
          if (machine === undefined) log.info({ from, ...sent }, 'sent a file by TFTP to a machine that has no lease of ours')
          else emit({ machine, hop: 'tftp', ...sent })
        },
      }),
    )
    if (options.routerAdvertisements)
      services.push(await startRouterAdvertisement({ interfaceName, start, log: log.child({ service: 'radvd' }) }))
    services.push(
      await startDhcpServer({
        settings: { ...options, serverAddress: address, router: options.router, domain: options.domain },
        leases,
        leaseFile,
        emit,
        log: log.child({ service: 'dhcp' }),
      }),
    )
  } catch (error) {
    await close()
    throw error
  }
  log.info({ interface: interfaceName, address, range }, 'machines can boot from the network')
  return { bootFiles, machineAt, close }
}

/** Throws an `IngotError` `config-invalid` with a line for each setting that cannot be. */
function checkAddresses({ address, prefixLength, range, router, leaseSeconds, httpUrl }: NetbootOptions): void {
  const mask = netmaskOf(prefixLength)
  const network = parseIpv4(address) & mask
  const subnet = `${formatIpv4(network >>> 0)}/${prefixLength}`
  const outside = (name: string, value: string) =>
    (parseIpv4(value) & mask) === network ? [] : [`${name}: expected an address of ${subnet}, got ${value}`]
  const script = ipxeScriptUrl(httpUrl)
  const problems = [
    ...outside('range.first', range.first),
    ...outside('range.last', range.last),
    ...(parseIpv4(range.first) > parseIpv4(range.last)
      ? [`range: expected first to be at or before last, got ${range.first} to ${range.last}`]
      : []),
    ...(router === undefined ? [] : outside('router', router)),
    ...(Number.isInteger(leaseSeconds) && leaseSeconds >= 60 ? [] : [`leaseSeconds: expected a whole number from 60, got ${leaseSeconds}`]),
    ...(Buffer.byteLength(script) <= longestFileBytes
      ? []
      : [`httpUrl: ${httpUrl} is too long for a DHCP reply to carry the script's address`]),
  ]
  if (problems.length > 0) throw new IngotError('config-invalid', problems.join('\n'), { problems })
}
