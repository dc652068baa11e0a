import { join } from 'node:path'
import type { ServerName } from './options.ts'
import { serveDnsmasq } from './peers/serve-dnsmasq.ts'
import { serveIngot } from './peers/serve-ingot.ts'
import { serveKea } from './peers/serve-kea.ts'
import { serveNginx } from './peers/serve-nginx.ts'
import { serveTftpdHpa } from './peers/serve-tftpd-hpa.ts'
import type { ServeOptions, Serving } from './serving.ts'

const starters: Record<ServerName, readonly ((options: ServeOptions) => Promise<Serving>)[]> = {
  ingot: [serveIngot],
  dnsmasq: [serveDnsmasq],
  kea: [serveKea],
  'tftpd-hpa': [serveTftpdHpa],
  nginx: [serveNginx],
  'dnsmasq + nginx': [serveDnsmasq, serveNginx],
}

/** Runs `act` while a server serves, and gives what it gave. */
export async function whileServing<Result>(name: ServerName, options: ServeOptions, act: () => Promise<Result>): Promise<Result> {
  const running: Serving[] = []
  try {
    for (const [index, serve] of starters[name].entries()) running.push(await serve({ ...options, directory: join(options.directory, String(index)) }))
    return await act()
  } finally {
    for (const each of running) await each.stop()
  }
}
