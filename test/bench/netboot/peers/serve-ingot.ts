import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { benchNetwork } from '../bench-network.ts'
import { startServing, type ServeOptions, type Serving } from '../serving.ts'

const ingot = join(import.meta.dirname, '../../../../server/ingot')
const { interfaceName, address, range } = benchNetwork

/** `ingot serve` with all it does: leases flushed to the disk before they are promised, every hop kept as an event. */
export async function serveIngot(options: ServeOptions): Promise<Serving> {
  const { directory, files } = options
  await mkdir(directory, { recursive: true })
  const config = join(directory, 'ingot.yaml')
  const netboot = {
    interface: interfaceName,
    range: `${range.first}-${range.last}`,
    // Looking for others takes four seconds.
    allowOtherServers: true,
    routerAdvertisements: false,
    // By which kernel and initramfs are there by TFTP too.
    secureBoot: true,
  }
  await writeFile(config, JSON.stringify({ data: 'data', appliance: files.applianceDirectory, listen: `${address}:8080`, netboot }))
  return startServing([ingot, 'serve', '--config', config], { protocol: 'tcp', port: 8080 }, options, { env: { INGOT_LOG_LEVEL: 'error' } })
}
