import type { RootFiles } from './root-files.ts'
import { renderInterfaces, renderNetplan, renderNetworkd, renderResolvConf, type OwnNetwork } from './render-network.ts'

/** Writes the network in the way of the program that brings it up in this image. Throws when that is none that is known. */
export async function giveNetwork(network: OwnNetwork, files: RootFiles): Promise<void> {
  const hasAny = async (...paths: string[]) => (await Promise.all(paths.map((path) => files.has(path)))).includes(true)
  if (await files.has('/usr/sbin/netplan')) {
    // It warns of a file that all may read: there may be secrets in one.
    await files.write('/etc/netplan/90-ingot.yaml', renderNetplan(network), { mode: 0o600 })
  } else if (await files.has('/etc/systemd/system/multi-user.target.wants/systemd-networkd.service')) {
    await files.write('/etc/systemd/network/05-ingot.network', renderNetworkd(network))
  } else if (await hasAny('/usr/sbin/ifup', '/sbin/ifup')) {
    await files.write('/etc/network/interfaces', renderInterfaces(network))
  } else {
    throw new Error('network: expected cloud-init, netplan, systemd-networkd (enabled) or ifupdown in the image, got none of them')
  }
  const bringsNames = await hasAny('/lib/systemd/systemd-resolved', '/usr/lib/systemd/systemd-resolved', '/sbin/resolvconf', '/usr/sbin/resolvconf')
  if (network.nameServers !== undefined && !bringsNames) await files.write('/etc/resolv.conf', renderResolvConf(network))
}
