import { createSocket } from 'node:dgram'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { pino } from 'pino'
import { run } from '../../../appliance/run.ts'
import type { TestNetwork } from '../../helpers/test-network.ts'
import { askByUdhcpc, type Given } from './dhcp/dhcp-client.ts'
import { datagram } from './dhcp/datagram.ts'
import { addresses, serve } from './serve.ts'

export interface FuzzInput {
  packets: number
  mode: 'dhcp' | 'proxy'
}
export interface FuzzResult {
  /** Growth of the heap and of buffers between the first tenth of the packets and the end, in MiB. */
  grownMiB: number
  /** Packets that the services never saw, because the kernel had no room for them. */
  lost: number
  packetsPerSecond: number
  /** What a machine is given afterwards, and whether it fetches a file whole. */
  given: Given
  isFetched: boolean
}

/** Always the same bytes: mulberry32. */
function createRandom(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** A sound message with bytes changed, cut off or appended, or noise alone. */
function createDamager(random: (below: number) => number): () => Buffer {
  const types = ['discover', 'request', 'decline', 'release', 'inform'] as const
  const noise = (bytes: number) => Buffer.from(Array.from({ length: bytes }, () => random(256)))
  const sound = [
    () => datagram({ type: types[random(types.length)] ?? 'discover', mac: `02:00:00:00:${random(90) + 10}:${random(90) + 10}`, options: [[55, [1, 3, 60, 67]], [60, 'PXEClient:Arch:00007'], [93, [0, random(21)]]] }),
    () => Buffer.from(`\0\x01snponly.efi\0octet\0blksize\0${random(70_000)}\0windowsize\0${random(70_000)}\0tsize\0${random(3)}\0`),
    () => Buffer.from([0, random(7), 0, random(256), ...noise(random(8))]),
  ]
  return () => {
    const make = sound[random(sound.length + 1)]
    if (make === undefined) return noise(random(600))
    const bytes = Buffer.from(make())
    for (let changes = random(6); changes > 0 && bytes.length > 0; changes--) bytes[random(bytes.length)] = random(256)
    return random(3) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes
  }
}

/** What the kernel dropped of what was sent to some ports of this network namespace: proc(5), `/proc/net/udp`, whose last column it is. */
async function countLost(ports: readonly number[]): Promise<number> {
  const lines = (await readFile('/proc/self/net/udp', 'utf8')).trim().split('\n').slice(1).map((line) => line.trim().split(/\s+/))
  const isOurs = (local = '') => ports.includes(Number.parseInt(local.split(':')[1] ?? '', 16))
  return lines.filter(([, local]) => isOurs(local)).reduce((sum, columns) => sum + Number(columns.at(-1)), 0)
}

/** Sends damaged packets to every port of the boot services, then sees whether a sound client is still served. */
export async function scenario(network: TestNetwork, { packets, mode }: FuzzInput): Promise<FuzzResult> {
  // Damaged messages may be sound enough to take every address of the range: the client has one of its own.
  const dhcp = mode === 'dhcp' ? { ...addresses, reservations: new Map([['02-00-00-00-00-01', '10.77.0.20']]) } : undefined
  const served = await serve(network, { log: pino({ level: 'silent' }), dhcp })
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, network.address, resolve))
  const random = createRandom(1)
  const damage = createDamager(random)
  const ports = mode === 'proxy' ? [67, 69, 4011] : [67, 69]
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const heapMiB = () => {
    collectGarbage()
    const { heapUsed, external } = process.memoryUsage()
    return (heapUsed + external) / 1024 / 1024
  }
  let firstMiB = 0
  const startedAt = performance.now()
  for (let sent = 0; sent < packets; sent += 50) {
    const batch = Array.from({ length: 50 }, () => {
      const port = ports[random(ports.length)] ?? 67
      return new Promise<void>((resolve) => socket.send(damage(), port, network.address, () => resolve()))
    })
    await Promise.all(batch)
    // The services live in this process too: let them read what came.
    await new Promise((resolve) => setImmediate(resolve))
    served.events.splice(0)
    if (sent === Math.floor(packets / 1000) * 100) firstMiB = heapMiB()
  }
  const packetsPerSecond = Math.round(packets / ((performance.now() - startedAt) / 1000))
  const [grownMiB, lost] = [heapMiB() - firstMiB, await countLost(ports)]
  socket.close()
  const given = mode === 'dhcp' ? await askByUdhcpc(await network.addClient('c1', '02:00:00:00:00:01'), network.directory) : 'none'
  const fetched = join(network.directory, 'fetched')
  await run('curl', ['-sS', '--tftp-blksize', '1428', '-o', fetched, `tftp://${network.address}/snponly.efi`])
  const isFetched = (await readFile(fetched)).equals(await readFile('/usr/lib/ipxe/snponly.efi'))
  await served.close()
  return { grownMiB, lost, packetsPerSecond, given, isFetched }
}
