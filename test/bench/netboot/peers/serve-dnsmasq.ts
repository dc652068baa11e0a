import { join } from 'node:path'
import { benchNetwork } from '../bench-network.ts'
import { scriptFile, stormFile } from '../served-files.ts'
import { startServing, type ServeOptions, type Serving } from '../serving.ts'

const { interfaceName, address, range, netmask } = benchNetwork

/** DHCP and TFTP. It does not look whether an address is in use (`--no-ping`), which would take it three seconds for each; its lease file is not flushed to the disk. */
export function serveDnsmasq(options: ServeOptions): Promise<Serving> {
  const dhcp = [`--dhcp-range=${range.first},${range.last},${netmask},1h`, '--dhcp-lease-max=100000', '--dhcp-authoritative', '--no-ping', '--quiet-dhcp']
  const boot = ['--dhcp-userclass=set:ipxe,iPXE', `--dhcp-boot=tag:!ipxe,${stormFile}`, `--dhcp-boot=tag:ipxe,http://${address}:8080/${scriptFile}`]
  const tftp = ['--enable-tftp', `--tftp-root=${options.files.rootDirectory}`, '--tftp-max=1000', '--quiet-tftp']
  const process = ['--keep-in-foreground', '--conf-file=/dev/null', '--pid-file=', '--user=root', '--port=0', `--interface=${interfaceName}`, '--log-facility=-']
  const leases = `--dhcp-leasefile=${join(options.directory, 'leases')}`
  return startServing(['dnsmasq', ...process, leases, ...dhcp, ...boot, ...tftp], { protocol: 'udp', port: 69 }, options)
}
