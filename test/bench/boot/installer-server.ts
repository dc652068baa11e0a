import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import Fastify from 'fastify'
import type { Logger } from 'pino'
import type { Run, Start } from '../../../appliance/run.ts'
import type { MachineEvent } from '../../../server/api/event.ts'
import { startNetboot } from '../../../server/netboot/netboot.ts'
import type { Installer } from './debian-installer.ts'
import { served } from './served.ts'

const { port, range, router, nameServers, ...network } = served
const httpUrl = `http://${network.address}:${port}`

export const preseedPath = '/preseed.cfg'

/**
 * What the installer is told, which is what its manual says an automatic installation over the network needs (Debian GNU/Linux Installation
 * Guide, appendix B.2.3), and the consoles that our kernel gets too.
 */
const kernelArguments = ['auto=true', 'priority=critical', `url=${httpUrl}${preseedPath}`, 'interface=auto', 'console=tty0', 'console=ttyS0,115200']

const script = `#!ipxe
kernel ${httpUrl}/boot/linux initrd=initrd.gz ${kernelArguments.join(' ')}
initrd ${httpUrl}/boot/initrd.gz
boot
`

export interface InstallerServerOptions {
  installer: Installer
  /** Where its leases are kept. */
  directory: string
  log: Logger
  run: Run
  start: Start
}

export interface InstallerServer {
  /** What the boot services told of the machine. */
  events: readonly MachineEvent[]
  /** Settles when the installer has asked for its preconfiguration file, which it does once its network is configured. */
  asked: Promise<void>
  close(): Promise<void>
}

/** Serves Debian's installer over our own DHCP, TFTP and HTTP: the same way as the worker's, with another kernel at its end. */
export async function startInstallerServer({ installer, directory, log, run, start }: InstallerServerOptions): Promise<InstallerServer> {
  const events: MachineEvent[] = []
  const asked = Promise.withResolvers<void>()
  const netboot = await startNetboot({
    ...network,
    dhcp: { range, leaseSeconds: 3600, router, nameServers, domain: undefined, relayed: [], reservations: new Map() },
    policies: [],
    // The rack is a network of its own.
    allowOtherServers: true,
    dataDirectory: join(directory, 'data'),
    httpUrl,
    routerAdvertisements: true,
    emit: (event) => void events.push({ time: new Date().toISOString(), ...event } as MachineEvent),
    log,
    run,
    start,
  })
  const app = Fastify({ forceCloseConnections: true })
  app.get('/boot/ipxe', async (_, reply) => reply.type('text/plain; charset=utf-8').send(script))
  for (const [url, path] of [['/boot/linux', installer.kernelPath], ['/boot/initrd.gz', installer.initrdPath]] as const) {
    app.get(url, async (_, reply) => {
      reply.header('content-length', (await stat(path)).size).type('application/octet-stream')
      return reply.send(createReadStream(path))
    })
  }
  app.get(preseedPath, async (_, reply) => {
    asked.resolve()
    return reply.type('text/plain; charset=utf-8').send('')
  })
  await app.listen({ host: network.address, port })
  return {
    events,
    asked: asked.promise,
    async close() {
      await app.close()
      await netboot.close()
    },
  }
}
