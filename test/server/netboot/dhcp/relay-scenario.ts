import { run, start } from '../../../../appliance/run.ts'
import type { TestClient, TestNetwork } from '../../../helpers/test-network.ts'
import { addresses, serve } from '../serve.ts'
import { askByUdhcpc } from './dhcp-client.ts'

/** What `relay.test.ts` checks: a machine on 10.78.0.0/24, behind Debian's isc-dhcp-relay, which adds option 82 and wants it back. */
export async function scenario(network: TestNetwork) {
  const relay = await network.addClient('relay', '02:00:00:00:00:07')
  const far = await network.addClient('far', '02:00:00:00:00:08')
  const ip = (...args: string[]) => run('ip', args)
  await ip('link', 'delete', 'far-host')
  await ip('-n', 'relay', 'link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', 'far', 'address', '02:00:00:00:00:08')
  for (const [namespace, device] of [['relay', 'eth1'], ['far', 'eth0']] as const) await ip('-n', namespace, 'link', 'set', device, 'up')
  await ip('-n', 'relay', 'address', 'add', '10.77.0.7/24', 'dev', 'eth0')
  await ip('-n', 'relay', 'address', 'add', '10.78.0.1/24', 'dev', 'eth1')
  await relay.run('sysctl', ['-qw', 'net.ipv4.ip_forward=1'])
  await ip('route', 'add', '10.78.0.0/24', 'via', '10.77.0.7')

  const relayed = [{ address: '10.78.0.0', prefixLength: 24, range: { first: '10.78.0.100', last: '10.78.0.101' }, router: '10.78.0.1' }]
  const served = await serve(network, { dhcp: { ...addresses, relayed }, allowOtherServers: false })
  const relayLines: string[] = []
  const relaying = Promise.withResolvers<void>()
  await start('ip', ['netns', 'exec', 'relay', 'dhcrelay', '-4', '-d', '-a', '-iu', 'eth0', '-id', 'eth1', '10.77.0.1'], {
    onErrorLine(line) {
      relayLines.push(line)
      if (line.startsWith('Sending on   Socket')) relaying.resolve()
    },
  })
  await relaying.promise
  const first = await askByUdhcpc(far, network.directory)
  await far.run('ip', ['route', 'add', 'default', 'via', '10.78.0.1'])
  const again = await askByUdhcpc(far, network.directory, ['-r', '10.77.0.55'])
  const neighbour = await network.addClient('near', '02:00:00:00:00:09')
  const near = await askByUdhcpc(neighbour, network.directory)
  const scriptOf = async (asker: TestClient, machine: string): Promise<string> =>
    (await asker.run('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', `http://10.77.0.1:8080/boot/ipxe?mac=${machine}`])).trim()
  const scripts = {
    own: [await scriptOf(far, far.machine), await scriptOf(neighbour, neighbour.machine)],
    others: [await scriptOf(far, neighbour.machine), await scriptOf(neighbour, far.machine), await scriptOf(neighbour, '02-00-00-00-00-0a')],
  }
  const refused = served.events.flatMap((event) => (event.hop === 'script-refused' ? [`${event.machine} ${event.address} ${event.why}`] : []))
  await served.close()
  const without = await serve(network)
  const unknown = await askByUdhcpc(far, network.directory)
  await without.close()
  return { first, again, near, scripts, refused, unknown, relayLines }
}
