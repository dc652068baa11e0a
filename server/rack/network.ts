import { writeFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import type { Run } from '../../appliance/run.ts'

/** The private network of the rack: the first computer is `address` on the bridge. */
export const rackNetwork = { bridge: 'ingot0', address: '10.77.0.1', prefixLength: 24 } as const

/**
 * Makes the bridge that the machines are plugged into, in the network namespace we are in. Nothing is forwarded: a machine reaches the
 * first computer and nothing beyond it. IPv6 stays on for link-local addresses, which router advertisements need.
 */
export async function createNetwork(run: Run): Promise<void> {
  const { bridge, address, prefixLength } = rackNetwork
  await run('ip', ['link', 'add', bridge, 'type', 'bridge', 'forward_delay', '0', 'stp_state', '0'])
  await run('ip', ['address', 'add', `${address}/${prefixLength}`, 'dev', bridge])
  // A bridge is down while no port of it has a carrier. This cable, whose other end leads nowhere, always has, so that the first computer can start
  // before any machine is on.
  await run('ip', ['link', 'add', 'spare', 'type', 'veth', 'peer', 'name', 'nowhere'])
  await run('ip', ['link', 'set', 'nowhere', 'addrgenmode', 'none', 'up'])
  await run('ip', ['link', 'set', 'spare', 'addrgenmode', 'none', 'master', bridge, 'up'])
  // Both ends being ours, a broadcast sent down this cable would be heard a second time at its other end.
  await run('ip', ['link', 'set', 'spare', 'type', 'bridge_slave', 'flood', 'off', 'mcast_flood', 'off', 'bcast_flood', 'off'])
  // Nobody else can have its address here: without the second of waiting for objections router advertisements can start at once (RFC 4862, 5.4).
  await writeFile(`/proc/sys/net/ipv6/conf/${bridge}/accept_dad`, '0')
  await run('ip', ['link', 'set', bridge, 'up'])
  await waitForAddresses(bridge)
  // A fresh namespace may inherit the host's setting, and a host with containers forwards.
  await writeFile('/proc/sys/net/ipv4/ip_forward', '0')
}

/** The kernel tells of a new carrier only up to a second later (net/core/link_watch.c), and until then the interface counts as down. */
async function waitForAddresses(name: string): Promise<void> {
  const families = (): string[] => (networkInterfaces()[name] ?? []).map(({ family }) => family)
  const limit = AbortSignal.timeout(10_000)
  while (!['IPv4', 'IPv6'].every((family) => families().includes(family))) await setTimeout(50, undefined, { signal: limit })
}

/** Plugs a cable into the bridge: a tap device for one machine. Its name, for example `m1`, is at most 15 characters long (Linux, IFNAMSIZ). */
export async function createTap(name: string, run: Run): Promise<void> {
  await run('ip', ['tuntap', 'add', name, 'mode', 'tap'])
  await run('ip', ['link', 'set', name, 'master', rackNetwork.bridge, 'up'])
}

export async function removeTap(name: string, run: Run): Promise<void> {
  await run('ip', ['link', 'delete', name])
}
