import type { Logger } from 'pino'
import type { MachineEvent } from '../../../server/api/event.ts'
import type { Installer } from './debian-installer.ts'
import { preseedPath, startInstallerServer } from './installer-server.ts'
import type { Mark, Measurement } from './measurement.ts'
import { measureBoot, type BootContext } from './power-on.ts'
import { openRequestLog, type ServedRequest } from './request-log.ts'

/** The installer has an address by DHCP: what its `netcfg` configures. */
export const configuredMark = 'network configured'

/** Option 60 of the installer's DHCP client (netcfg, dhcp.c); firmware says `PXEClient:…`. */
const installerVendorClass = 'd-i'

/** Boots a machine into Debian's installer until that has configured its network and uses it. */
export async function measureInstaller({ installer, log, ...context }: BootContext & { installer: Installer; log: Logger }): Promise<Measurement> {
  const { directory, run, start } = context
  const server = await startInstallerServer({ installer, directory, log, run, start })
  const requestLog = openRequestLog()
  try {
    return await measureBoot({
      ...context,
      without: 'no network of the installer',
      wait: async () => {
        await server.asked
        return installerMarks(server.events, requestLog.requests)
      },
    })
  } finally {
    requestLog.close()
    await server.close()
  }
}

/**
 * The way of the installer to its network, in milliseconds since 1970. Of several DHCP answers, the installer's is the one after its own question.
 */
export function installerMarks(events: readonly MachineEvent[], requests: readonly ServedRequest[]): Mark[] {
  const event = (name: string, found: MachineEvent | undefined): Mark[] => (found === undefined ? [] : [{ name, atMs: Date.parse(found.time) }])
  const request = (name: string, path: string): Mark[] => 
    requests.filter(({ url }) => url.split('?')[0] === path).slice(0, 1).map(({ atMs }) => ({ name, atMs }))
  const question = events.findIndex((each) => each.hop === 'dhcp-discover' && each.vendorClass === installerVendorClass)
  return [
    ...event('firmware has an address', events.find(({ hop }) => hop === 'dhcp-ack')),
    ...event('boot program fetched by TFTP', events.find(({ hop }) => hop === 'tftp')),
    ...request('iPXE asks for its script', '/boot/ipxe'),
    ...request('iPXE asks for the initrd', '/boot/initrd.gz'),
    ...event('installer asks for an address', events[question]),
    ...event(configuredMark, question === -1 ? undefined : events.slice(question).find(({ hop }) => hop === 'dhcp-ack')),
    ...request('installer asks for its preseed file', preseedPath),
  ]
}
