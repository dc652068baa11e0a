import type { Network } from '../../images/identity.ts'

/** A network with the interface that it is for. */
export type OwnNetwork = Network & Required<Pick<Network, 'mac'>>

const addressesOf = ({ addresses }: Network): readonly string[] => (addresses === 'dhcp' ? [] : addresses)

/** systemd.network(5). Named so that it comes before what the image has for all interfaces: the first file that fits counts. */
export function renderNetworkd(network: OwnNetwork): string {
  const { mac, gateway, nameServers = [], searchDomains = [] } = network
  return lines(
    ['[Match]', `MACAddress=${mac}`, '', '[Network]'],
    network.addresses === 'dhcp' ? ['DHCP=yes'] : [],
    addressesOf(network).map((address) => `Address=${address}`),
    gateway === undefined ? [] : [`Gateway=${gateway}`],
    nameServers.map((server) => `DNS=${server}`),
    searchDomains.length === 0 ? [] : [`Domains=${searchDomains.join(' ')}`],
  )
}

/** `/etc/network/interfaces` of ifupdown (interfaces(5)), all of it; its pattern finds the interface by its MAC address, whatever the kernel calls it. */
export function renderInterfaces(network: OwnNetwork): string {
  const { mac, gateway, nameServers = [], searchDomains = [] } = network
  const isOf = (version: 4 | 6) => (address: string) => address.includes(':') === (version === 6)
  const stanza = (version: 4 | 6, address: string): string[] => [
    `iface ingot ${version === 4 ? 'inet' : 'inet6'} static`,
    `  address ${address}`,
    ...(gateway !== undefined && isOf(version)(gateway) && address === addressesOf(network).find(isOf(version)) ? [`  gateway ${gateway}`] : []),
  ]
  return lines(
    ['auto lo', 'iface lo inet loopback', '', `auto mac/${mac}=ingot`],
    network.addresses === 'dhcp' ? ['iface ingot inet dhcp'] : addressesOf(network).flatMap((address) => stanza(address.includes(':') ? 6 : 4, address)),
    nameServers.length === 0 ? [] : [`  dns-nameservers ${nameServers.join(' ')}`],
    searchDomains.length === 0 ? [] : [`  dns-search ${searchDomains.join(' ')}`],
  )
}

/**
 * One interface of netplan (netplan(5)), which is also the network of cloud-init ("Networking config Version 2"). The name of an interface decides which
 * definition counts where two fit: what comes first in the alphabet. `setName` has it renamed.
 */
export function planEthernet(network: OwnNetwork, setName?: string): object {
  const { mac, gateway, nameServers, searchDomains } = network
  const names = { ...(nameServers === undefined ? {} : { addresses: nameServers }), ...(searchDomains === undefined ? {} : { search: searchDomains }) }
  return {
    match: { macaddress: mac },
    ...(setName === undefined ? {} : { 'set-name': setName }),
    ...(network.addresses === 'dhcp' ? { dhcp4: true } : { addresses: network.addresses }),
    ...(gateway === undefined ? {} : { routes: [{ to: gateway.includes(':') ? '::/0' : '0.0.0.0/0', via: gateway }] }),
    ...(Object.keys(names).length === 0 ? {} : { nameservers: names }),
  }
}

/** A file of netplan, as the JSON that YAML includes. */
export const renderNetplan = (network: OwnNetwork): string => `${JSON.stringify({ network: { version: 2, ethernets: { '00-ingot': planEthernet(network) } } }, null, 2)}\n`

/** resolv.conf(5), for a system on which nothing else would bring the name servers there. */
export const renderResolvConf = ({ nameServers = [], searchDomains = [] }: Pick<Network, 'nameServers' | 'searchDomains'>): string =>
  lines(
    nameServers.map((server) => `nameserver ${server}`),
    searchDomains.length === 0 ? [] : [`search ${searchDomains.join(' ')}`],
  )

const lines = (...parts: readonly string[][]): string => `${parts.flat().join('\n')}\n`
