import { readFile } from 'node:fs/promises'
import { createSocket } from 'node:dgram'
import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError, type Run } from '../../../appliance/run.ts'
import { shareNext } from '../../share-next.ts'
import { bindUdp } from '../udp.ts'

/** Who uses an address of our network now. */
export interface ConflictProbe {
  /** Machine id of whoever answers for the address, for example `52-54-00-12-34-56`; undefined when nobody does. */
  userOf(address: string): Promise<string | undefined>
  close(): Promise<void>
}

export interface ConflictProbeOptions {
  interfaceName: string
  /** Our own address on it. */
  address: string
  run: Run
}

/**
 * How long an answer may take. A wired neighbour answers ARP within a few milliseconds; the three seconds that other servers wait for a ping
 * would be added to every first boot. What answers later is found by the machine itself, which declines the address (RFC 2131, section 4.4.1).
 */
const waitMs = 100
/** A machine that repeats its DISCOVER is not kept waiting again. */
const remembersMs = 60_000
/** Nobody listens there: RFC 863, discard. */
const discardPort = 9

/**
 * Asks by ARP (RFC 826), which a host answers whatever its firewall says: a datagram to the address makes the kernel ask, and its neighbour
 * table tells the answer.
 */
export async function openConflictProbe({ interfaceName, address: ownAddress, run }: ConflictProbeOptions): Promise<ConflictProbe> {
  const socket = createSocket('udp4')
  await bindUdp(socket, { number: 0, address: ownAddress, service: 'the probe for addresses in use', likely: 'none' })
  const probes = new Map<string, { startedAt: number; user: Promise<string | undefined> }>()

  // A rack that is powered on asks for hundreds of addresses at once, and one look at the table answers all who ask by then.
  const neighbours = shareNext(() => readNeighbours(interfaceName))

  async function probe(address: string): Promise<string | undefined> {
    // What the kernel still knows may be of a machine that has gone.
    if ((await neighbours()).has(address)) await forget(address)
    await new Promise<void>((resolve, reject) => socket.send('', discardPort, address, (error) => (error === null ? resolve() : reject(error))))
    await sleep(waitMs)
    return (await neighbours()).get(address)
  }

  async function forget(address: string): Promise<void> {
    try {
      await run('ip', ['neighbour', 'delete', address, 'dev', interfaceName])
    } catch (error) {
      // The kernel may have forgotten it by itself meanwhile; what it still knows we read again.
      if (!(error instanceof CommandError)) throw error
    }
  }

  return {
    userOf(address) {
      const now = Date.now()
      for (const [other, { startedAt }] of probes) if (startedAt + remembersMs <= now) probes.delete(other)
      const known = probes.get(address)
      if (known !== undefined) return known.user
      const user = probe(address)
      probes.set(address, { startedAt: now, user })
      // What could not be asked is asked again.
      user.catch(() => probes.delete(address))
      return user
    },
    close: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  }
}

/** Bit of the neighbour table's column `Flags`: the entry has a hardware address (`ATF_COM` in Linux' if_arp.h). */
const completeFlag = 0x2

/** Machine ids by address of the neighbours that the kernel knows on an interface; columns as in proc(5), `/proc/net/arp`. */
async function readNeighbours(interfaceName: string): Promise<ReadonlyMap<string, string>> {
  const lines = (await readFile('/proc/net/arp', 'utf8')).split('\n').map((line) => line.split(/\s+/))
  const complete = lines.filter(([, , flags, , , device]) => device === interfaceName && (Number(flags) & completeFlag) !== 0)
  return new Map(complete.map(([ip = '', , , hardware = '']) => [ip, hardware.replaceAll(':', '-')]))
}
