import { mkdir } from 'node:fs/promises'
import type { Run } from '../../../appliance/run.ts'

/** The one cable of the benchmark: servers at one end, all clients behind the other, in a namespace of their own. Addresses are given from `range`. */
export const benchNetwork = {
  interfaceName: 'served0',
  address: '10.77.0.1',
  prefixLength: 16,
  range: { first: '10.77.16.0', last: '10.77.127.255' },
  netmask: '255.255.0.0',
  /** Of the clients' end, which is where a relay agent would be. */
  clientAddress: '10.77.255.1',
  clientInterface: 'eth0',
} as const

const namespace = 'clients'

/** The words before a command that runs at the clients' end, for example `[...atClients, 'curl', url]`. */
export const atClients = ['ip', 'netns', 'exec', namespace] as const

/** Lays the cable in the network namespace that we are in, whose mounts are our own. */
export async function createBenchNetwork(run: Run): Promise<void> {
  const { interfaceName, address, prefixLength, clientAddress, clientInterface } = benchNetwork
  const ip = (...args: string[]) => run('ip', args)
  // Where `ip netns` keeps its names, and servers their sockets.
  await run('mount', ['-t', 'tmpfs', 'tmpfs', '/run'])
  await mkdir('/run/netns')
  await ip('netns', 'add', namespace)
  await ip('link', 'add', interfaceName, 'type', 'veth', 'peer', 'name', clientInterface, 'netns', namespace)
  await ip('address', 'add', `${address}/${prefixLength}`, 'dev', interfaceName)
  await ip('link', 'set', interfaceName, 'up')
  await ip('-n', namespace, 'link', 'set', 'lo', 'up')
  await ip('-n', namespace, 'address', 'add', `${clientAddress}/${prefixLength}`, 'dev', clientInterface)
  await ip('-n', namespace, 'link', 'set', clientInterface, 'up')
}
