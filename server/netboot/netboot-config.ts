import { isIPv4 } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'
import { secureBootArchitectures } from '../../boot/firmware.ts'
import type { BootPolicy, PolicyRule } from '../../boot/policy.ts'
import type { Fault } from '../../images/fault.ts'
import type { ListenAddress } from '../listen-address.ts'
import { isInNetwork, isInRange, type AddressRange } from './dhcp/network.ts'
import { parseIpv4 } from './ipv4.ts'
import type { NetbootFile } from './netboot-schema.ts'
import type { NetbootOptions } from './netboot.ts'

export type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>
/** What a configuration says of the boot services; what they write to and report by is added where they are started. */
export type NetbootConfig = Pick<
  NetbootOptions,
  'interfaceName' | 'address' | 'prefixLength' | 'dhcp' | 'policies' | 'allowOtherServers' | 'routerAdvertisements'
> & {
  /** What a machine does for which there is no job here; a policy of the machine goes before it. */
  withoutJob: NonNullable<BootPolicy['withoutJob']>
}

const splitRange = (text: string): AddressRange => {
  const [first = '', last = ''] = text.split('-').map((part) => part.trim())
  return { first, last }
}
const splitNetwork = (text: string): { address: string; prefixLength: number } => {
  const [address = '', prefixLength] = text.split('/')
  return { address, prefixLength: Number(prefixLength) }
}
const machineIdOf = (text: string): string => text.toLowerCase().replaceAll(':', '-')

/** The IPv4 address of an interface that the boot services use: the one HTTP listens on if it is there, else its first. */
function bootAddress(interfaces: Interfaces, name: string, listenAddress: string): NetworkInterfaceInfo | undefined {
  const addresses = (interfaces[name] ?? []).filter((each) => each.family === 'IPv4')
  return addresses.find((each) => each.address === listenAddress) ?? addresses[0]
}

/** What a schema cannot say: that the fields fit each other and this host. */
export function faultsOfNetboot(netboot: NetbootFile, { address, port }: ListenAddress, interfaces: Interfaces): Fault[] {
  const known = Object.keys(interfaces).filter((name) => name !== 'lo')
  const own = bootAddress(interfaces, netboot.interface, address)
  const faults: Fault[] = [...faultsOfMode(netboot), ...faultsOfRelayed(netboot), ...faultsOfMachines(netboot)]
  if (interfaces[netboot.interface] === undefined) {
    faults.push({
      path: ['netboot', 'interface'],
      expected: `a network interface of this host that is up and has an address (${known.join(', ') || 'there is none'})`,
      got: `"${netboot.interface}"`,
    })
  } else if (own === undefined) {
    faults.push({ path: ['netboot', 'interface'], expected: 'an interface with an IPv4 address', got: `${netboot.interface} has none` })
  } else {
    if (isIPv4(address) && address !== own.address && address !== '0.0.0.0') {
      faults.push({ path: ['listen'], expected: `${own.address} (the address of ${netboot.interface}, where machines boot) or 0.0.0.0`, got: address })
    }
    faults.push(...faultsOfOwnNetwork(netboot, own))
  }
  if (port === 0) faults.push({ path: ['listen'], expected: 'a fixed port, because boot scripts name it', got: '0' })
  return faults
}

const addressFields = ['range', 'leaseSeconds', 'router', 'nameServers', 'domain', 'relayed'] as const

function faultsOfMode(netboot: NetbootFile): Fault[] {
  if (netboot.mode !== 'proxy') {
    if (netboot.range !== undefined) return []
    return [{ path: ['netboot', 'range'], expected: 'the first and the last address, like 192.0.2.100-192.0.2.200', got: 'nothing' }]
  }
  const given = addressFields.filter((field) => netboot[field] !== undefined)
  const inProxy = 'nothing beside mode: proxy, where another server gives addresses'
  const reserved = (netboot.machines ?? []).flatMap(({ address }, index) =>
    address === undefined ? [] : [{ path: ['netboot', 'machines', index, 'address'], expected: inProxy, got: address }],
  )
  return [...given.map((field) => ({ path: ['netboot', field], expected: inProxy, got: JSON.stringify(netboot[field]) })), ...reserved]
}

function faultsOfRange(text: string, path: Fault['path'], network: { address: string; prefixLength: number }, whose: string): Fault[] {
  const { first, last } = splitRange(text)
  const bad = [first, last].find((each) => !isIPv4(each))
  if (bad !== undefined) return [{ path, expected: 'two IPv4 addresses', got: `"${bad}"` }]
  const outside = [first, last].find((each) => !isInNetwork(each, network))
  return [
    ...(outside === undefined ? [] : [{ path, expected: `addresses of ${whose}`, got: outside }]),
    ...(parseIpv4(first) > parseIpv4(last) ? [{ path, expected: 'the lower address first', got: text }] : []),
  ]
}

function faultsOfOwnNetwork({ interface: name, range: text, router }: NetbootFile, own: NetworkInterfaceInfo): Fault[] {
  const network = { address: own.address, prefixLength: Number(own.cidr?.split('/')[1]) }
  const ofRange = text === undefined ? [] : faultsOfRange(text, ['netboot', 'range'], network, `${name}'s network ${own.cidr}`)
  const holdsUs = text !== undefined && ofRange.length === 0 && isInRange(own.address, splitRange(text))
  return [
    ...ofRange,
    ...(holdsUs ? [{ path: ['netboot', 'range'], expected: `a range without this host's own address ${own.address}`, got: text }] : []),
    ...(router !== undefined && !isInNetwork(router, network) ? [{ path: ['netboot', 'router'], expected: `an address of ${own.cidr}`, got: router }] : []),
  ]
}

function faultsOfRelayed({ relayed = [] }: NetbootFile): Fault[] {
  return relayed.flatMap(({ network: text, range: rangeText, router }, index) => {
    const at = (field: string) => ['netboot', 'relayed', index, field]
    const network = splitNetwork(text)
    if (!isIPv4(network.address) || network.prefixLength > 30) return [{ path: at('network'), expected: 'an IPv4 network like 192.0.2.0/24', got: text }]
    const outside = router !== undefined && !isInNetwork(router, network)
    return [...faultsOfRange(rangeText, at('range'), network, text), ...(outside ? [{ path: at('router'), expected: `an address of ${text}`, got: router }] : [])]
  })
}

function faultsOfMachines({ machines = [], architectures = [] }: NetbootFile): Fault[] {
  const repeated = (values: readonly unknown[], index: number) => values[index] !== undefined && values.indexOf(values[index]) < index
  const macs = machines.map((each) => machineIdOf(each.mac))
  const addresses = machines.map(({ address }) => address)
  const codes = architectures.map(({ code }) => code)
  return [
    ...machines.flatMap(({ mac: text, address = '' }, index) => [
      ...(repeated(macs, index) ? [{ path: ['netboot', 'machines', index, 'mac'], expected: 'a MAC address that no other entry has', got: text }] : []),
      ...(repeated(addresses, index) ? [{ path: ['netboot', 'machines', index, 'address'], expected: 'an address that no other entry has', got: address }] : []),
    ]),
    ...architectures.flatMap(({ code }, index) =>
      repeated(codes, index) ? [{ path: ['netboot', 'architectures', index, 'code'], expected: 'a code that no other entry has', got: String(code) }] : [],
    ),
  ]
}

/** The settings of a file without faults, with every default filled in. */
export function resolveNetboot(file: NetbootFile, listen: ListenAddress, interfaces: Interfaces): NetbootConfig | undefined {
  const own = bootAddress(interfaces, file.interface, listen.address)
  if (own === undefined) return undefined
  const { machines = [], architectures = [], relayed = [] } = file
  return {
    interfaceName: file.interface,
    address: own.address,
    prefixLength: Number(own.cidr?.split('/')[1]),
    dhcp:
      file.range === undefined
        ? undefined
        : {
            range: splitRange(file.range),
            leaseSeconds: file.leaseSeconds ?? 3600,
            router: file.router,
            nameServers: file.nameServers ?? [],
            domain: file.domain,
            relayed: relayed.map(({ network, range: text, router }) => ({ ...splitNetwork(network), range: splitRange(text), router })),
            reservations: new Map(machines.flatMap(({ mac: text, address }) => (address === undefined ? [] : [[machineIdOf(text), address] as const]))),
          },
    policies: [
      ...machines.map(({ mac: text, address: _, ...rest }): PolicyRule => ({ machine: machineIdOf(text), ...rest })),
      ...architectures.map(({ code, ...rest }): PolicyRule => ({ architecture: code, ...rest })),
      ...(file.secureBoot === true ? secureBootArchitectures.map((architecture): PolicyRule => ({ architecture, secureBoot: true })) : []),
    ],
    withoutJob: file.withoutJob ?? 'wait',
    allowOtherServers: file.allowOtherServers ?? false,
    routerAdvertisements: file.routerAdvertisements ?? true,
  }
}

