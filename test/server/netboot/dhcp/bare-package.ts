import type { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'

export interface BareServer {
  _sock: EventEmitter
  _send: (to: string, packet: BarePacket) => void
}
export interface BarePacket {
  yiaddr: string
  siaddr: string
  sname: string
  file: string
  options: Record<number, number>
}
interface BarePackage {
  protocol: {
    parse(datagram: Buffer): { options: Record<number, unknown> }
    format(packet: object): { _data: Buffer; _w: number }
  }
  createServer: (config: object) => BareServer
}

const require = createRequire(import.meta.url)

/** The package `dhcp` as it comes: our codec has changed the option table of the other copy. */
export function loadBare(): BarePackage {
  for (const path of Object.keys(require.cache)) if (path.includes('/node_modules/dhcp/')) delete require.cache[path]
  return { protocol: require('dhcp/lib/protocol.js') as BarePackage['protocol'], createServer: (require('dhcp') as BarePackage).createServer }
}
