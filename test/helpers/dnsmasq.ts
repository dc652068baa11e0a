import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { start } from '../../appliance/run.ts'
import type { TestClient, TestNetwork } from './test-network.ts'

/** Starts Debian's dnsmasq as a DHCP server at `10.77.0.9`, which gives 10.77.0.50 to 59; it ends with the namespace. `more` are further arguments of it. */
export async function startDnsmasq(on: TestClient, { prefixLength, directory }: TestNetwork, more: readonly string[] = []): Promise<void> {
  await on.run('ip', ['address', 'add', `10.77.0.9/${prefixLength}`, 'dev', 'eth0'])
  const lines = new PassThrough()
  const files = [`--dhcp-leasefile=${directory}/dnsmasq.leases`, '--pid-file=', '--conf-file=/dev/null']
  const settings = ['--port=0', '--interface=eth0', '--dhcp-range=10.77.0.50,10.77.0.59,1h', '--dhcp-authoritative', '--no-ping', '--log-dhcp', '--log-facility=-']
  await start('ip', ['netns', 'exec', on.name, 'dnsmasq', '--keep-in-foreground', '--user=root', ...files, ...settings, ...more], {
    onErrorLine: (line) => void lines.write(`${line}\n`),
  })
  for await (const line of createInterface({ input: lines })) if (line.includes('sockets bound exclusively') || line.includes('DHCP, IP range')) break
}
