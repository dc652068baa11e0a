import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { benchNetwork } from '../bench-network.ts'
import { stormFile } from '../served-files.ts'
import { startServing, type ServeOptions, type Serving } from '../serving.ts'

const { interfaceName, address, prefixLength, range } = benchNetwork

/** DHCP with leases in a file, as Debian configures it; what it writes there is not flushed to the disk. */
export async function serveKea(options: ServeOptions): Promise<Serving> {
  const { directory } = options
  await mkdir(directory, { recursive: true })
  const config = join(directory, 'kea.json')
  const dhcp = {
    // What it recommends for relayed messages, which perfdhcp sends.
    'interfaces-config': { interfaces: [interfaceName], 'dhcp-socket-type': 'udp' },
    'lease-database': { type: 'memfile', persist: true, name: join(directory, 'leases.csv'), 'lfc-interval': 0 },
    'valid-lifetime': 3600,
    subnet4: [{ id: 1, subnet: `${address}/${prefixLength}`, pools: [{ pool: `${range.first} - ${range.last}` }], 'next-server': address, 'boot-file-name': stormFile }],
    loggers: [{ name: 'kea-dhcp4', severity: 'ERROR', output_options: [{ output: 'stderr' }] }],
  }
  await writeFile(config, JSON.stringify({ Dhcp4: dhcp }))
  const env = { KEA_PIDFILE_DIR: directory, KEA_LOCKFILE_DIR: directory }
  return startServing(['kea-dhcp4', '-c', config], { protocol: 'udp', port: 67 }, options, { env })
}
