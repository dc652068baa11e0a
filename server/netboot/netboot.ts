import type { Logger } from 'pino'
import type { Run, Start } from '../../appliance/run.ts'
import { ipxeScriptUrl, longestFileBytes } from '../../boot/offer.ts'
import type { PolicyRule } from '../../boot/policy.ts'
import type { Emit } from '../event-log.ts'
import { IngotError } from '../errors.ts'
import { filesForGrub, loadBootFiles, type SecureBootFiles } from './boot-file-map.ts'
import { checkOtherServers } from './check-other-servers.ts'
import { isInNetwork, nameOfNetwork, type AddressRange, type BootNetwork } from './dhcp/network.ts'
import { inspectInterface } from './interface.ts'
import { parseIpv4 } from './ipv4.ts'
import { startRouterAdvertisement } from './router-advertisement.ts'
import { startDhcp } from './start-dhcp.ts'
import type { BootFile, StaticFile } from './tftp/file-map.ts'
import { startTftpServer } from './tftp/server.ts'

/** What DHCP mode gives: addresses, and the settings that go with them. */
export interface AddressOptions {
  /** First and last address given to machines. */
  range: AddressRange
  leaseSeconds: number
  /** Default gateway for the machines; without it they reach this network only. */
  router: string | undefined
  nameServers: readonly string[]
  domain: string | undefined
  /** Networks behind relay agents. */
  relayed: readonly BootNetwork[]
  /** Addresses kept for one machine each, by machine id. */
  reservations: ReadonlyMap<string, string>
}

export interface NetbootOptions {
  /** The interface that machines boot from, for example `eth1`. */
  interfaceName: string
  /** Its address and prefix length, for example `10.77.0.1` and 24. */
  address: string
  prefixLength: number
  /** What is given with addresses; undefined in proxy mode, where another server gives them. */
  dhcp: AddressOptions | undefined
  policies: readonly PolicyRule[]
  /** What UEFI machines with Secure Boot load; undefined when none is to be booted so. */
  secureBoot?: SecureBootFiles | undefined
  /** Give addresses although another DHCP server does so on the same network. */
  allowOtherServers: boolean
  /** `leases.ndjson` is kept in it. */
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
  /** What TFTP serves to everybody, for the HTTP routes to serve too. */
  readonly bootFiles: ReadonlyMap<string, StaticFile>
  /** Id of the machine that was given an address, for example `52-54-00-12-34-56` for `10.77.0.100`. */
  machineAt(ipv4: string): string | undefined
  /** Why a machine cannot be the one that asks from an address; nothing where addresses are given by others too. */
  whyNotAt(machine: string, ipv4: string): string | undefined
  close(): Promise<void>
}

/**
 * Starts DHCP, TFTP and router advertisements on one interface. Throws an `IngotError`: `config-invalid` for settings that do not fit each other
 * or the interface, `host-lacks` for missing boot files, `port-in-use` when another program serves a port, `other-dhcp-server` when addresses are
 * given there already.
 */
export async function startNetboot(options: NetbootOptions): Promise<Netboot> {
  const { interfaceName, address, dhcp, httpUrl, emit, log, run, start } = options
  checkAddresses(options)
  const { mtuBytes } = await inspectInterface(options, run)
  const { secureBoot } = options
  const bootFiles = await loadBootFiles(httpUrl, { secureBoot: secureBoot !== undefined })
  let machineAt: Netboot['machineAt'] = () => undefined
  let whyNotAt: Netboot['whyNotAt'] = () => undefined
  const forGrub = secureBoot === undefined ? [] : filesForGrub(secureBoot, (ipv4) => machineAt(ipv4))
  await checkOtherServers(options)

  const services: { close(): Promise<void> }[] = []
  const close = async () => void (await Promise.all(services.splice(0).map((service) => service.close())))
  try {
    services.push(
      await startTftpServer({
        address,
        mtuBytes,
        files: new Map<string, BootFile>([...bootFiles, ...forGrub]),
        log: log.child({ service: 'tftp' }),
        onEvent({ address: from, ...event }) {
          const machine = machineAt(from)
          if (machine === undefined) log.info({ from, ...event }, 'TFTP with a machine that is not known by its address')
          else emit({ machine, ...event })
        },
      }),
    )
    if (options.routerAdvertisements)
      services.push(await startRouterAdvertisement({ interfaceName, start, log: log.child({ service: 'radvd' }) }))
    const started = await startDhcp(options, log.child({ service: 'dhcp' }))
    services.push(started)
    machineAt = (ipv4) => started.machineAt(ipv4)
    whyNotAt = (machine, ipv4) => started.whyNotAt(machine, ipv4)
  } catch (error) {
    await close()
    throw error
  }
  log.info({ interface: interfaceName, address, mode: dhcp === undefined ? 'proxy' : 'dhcp', range: dhcp?.range }, 'machines can boot from the network')
  return { bootFiles, machineAt, whyNotAt, close }
}

/** Throws an `IngotError` `config-invalid` with a line for each setting that cannot be. */
function checkAddresses({ address, prefixLength, dhcp, httpUrl }: NetbootOptions): void {
  const network = { address, prefixLength }
  const outside = (name: string, value: string) =>
    isInNetwork(value, network) ? [] : [`${name}: expected an address of ${nameOfNetwork(network)}, got ${value}`]
  const script = ipxeScriptUrl(httpUrl)
  const ofDhcp = ({ range, router, leaseSeconds }: AddressOptions) => [
    ...outside('range.first', range.first),
    ...outside('range.last', range.last),
    ...(parseIpv4(range.first) > parseIpv4(range.last)
      ? [`range: expected first to be at or before last, got ${range.first} to ${range.last}`]
      : []),
    ...(router === undefined ? [] : outside('router', router)),
    ...(Number.isInteger(leaseSeconds) && leaseSeconds >= 60 ? [] : [`leaseSeconds: expected a whole number from 60, got ${leaseSeconds}`]),
  ]
  const problems = [
    ...(dhcp === undefined ? [] : ofDhcp(dhcp)),
    ...(Buffer.byteLength(script) <= longestFileBytes
      ? []
      : [`httpUrl: ${httpUrl} is too long for a DHCP reply to carry the script's address`]),
  ]
  if (problems.length > 0) throw new IngotError('config-invalid', problems.join('\n'), { problems })
}
