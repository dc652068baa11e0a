import { randomBytes, randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Run } from '../../appliance/run.ts'
import { formatPacket, parsePacket, type Packet } from './dhcp/codec.ts'
import { broadcastFlag, clientPort, messageTypes, optionCodes, serverPort } from './dhcp/codes.ts'
import { BadPacket } from './dhcp/normalise.ts'
import { openConflictProbe, type ConflictProbe } from './dhcp/conflict-probe.ts'
import { formatIpv4 } from './ipv4.ts'
import { makerOf } from './maker-of.ts'
import { bindUdp } from './udp.ts'

/** A DHCP or PXE server that answered us. */
export interface OtherServer {
  address: string
  /** Machine id of it, and who made its network card, where this host can tell. */
  machine: string | undefined
  maker: string | undefined
  /** An address that it would give; undefined for a server that only says what to boot. */
  givesAddress: string | undefined
  /** What it would have machines boot, by file name; empty when it does not say. */
  boots: string
  isPxe: boolean
}

export interface Segment {
  interfaceName: string
  /** Our own address on it. */
  address: string
  run: Run
}

/** A server that pings an address before it offers it takes three seconds. */
const waitMs = 4000
/** Once one has answered, others that answer at all are not far. */
const waitForOthersMs = 1000
/** Firmware of both kinds is impersonated: many PXE servers answer only what they have files for. */
const architectures = [0, 7]

/**
 * Sends DISCOVERs as a booting machine would, to see who answers. Takes nothing: an offer that nobody requests is forgotten by its server.
 * Throws an `IngotError` `port-in-use` when this host's own DHCP client leaves no room on port 68.
 */
export async function findOtherServers({ interfaceName, address, run }: Segment): Promise<OtherServer[]> {
  const mac = networkInterfaces()[interfaceName]?.find((each) => each.address === address)?.mac ?? '00:00:00:00:00:00'
  const discovers = architectures.map((architecture) => buildDiscover(mac.replaceAll(':', '-'), architecture))
  const answers = new Map<string, Packet[]>()
  const sockets: Socket[] = []
  const answered = Promise.withResolvers<void>()
  const open = async (at: string) => {
    // Beside this host's own DHCP client.
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    sockets.push(socket)
    await bindUdp(socket, { number: clientPort, address: at, service: 'looking for other DHCP servers', likely: "this host's own DHCP client" })
    socket.on('message', (datagram, { address: from }) => {
      const answer = readAnswer(datagram, discovers)
      if (answer === undefined || from === address) return
      answers.set(from, [...(answers.get(from) ?? []), answer])
      answered.resolve()
    })
    return socket
  }
  try {
    await open('0.0.0.0')
    const own = await open(address)
    own.setBroadcast(true)
    for (const discover of discovers)
      await new Promise<void>((resolve, reject) =>
        own.send(formatPacket(discover), serverPort, formatIpv4(0xffffffff), (error) => (error === null ? resolve() : reject(error))),
      )
    await Promise.race([sleep(waitMs), answered.promise.then(() => sleep(waitForOthersMs))])
  } finally {
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))))
  }
  const probe = await openConflictProbe({ interfaceName, address, run })
  const servers = await Promise.all([...answers].map(([from, offers]) => describeServer(from, offers, probe)))
  await probe.close()
  return servers
}

function buildDiscover(chaddr: string, architecture: number): Packet {
  return {
    op: 1,
    hops: 0,
    xid: randomInt(1, 2 ** 32),
    secs: 0,
    flags: broadcastFlag,
    ciaddr: '0.0.0.0',
    yiaddr: '0.0.0.0',
    siaddr: '0.0.0.0',
    giaddr: '0.0.0.0',
    chaddr,
    sname: '',
    file: '',
    options: new Map([
      [optionCodes.messageType, Buffer.of(messageTypes.discover)],
      [optionCodes.parameterRequestList, Buffer.of(optionCodes.subnetMask, optionCodes.router, optionCodes.vendorSpecific, optionCodes.vendorClass, optionCodes.bootFile)],
      [optionCodes.vendorClass, Buffer.from(`PXEClient:Arch:${String(architecture).padStart(5, '0')}:UNDI:003016`)],
      [optionCodes.clientArchitecture, Buffer.of(0, architecture)],
      [optionCodes.clientInterface, Buffer.of(1, 3, 16)],
      [optionCodes.clientMachine, Buffer.concat([Buffer.of(0), randomBytes(16)])],
    ]),
  }
}

function readAnswer(datagram: Buffer, discovers: readonly Packet[]): Packet | undefined {
  try {
    const packet = parsePacket(datagram, 'reply')
    return discovers.some(({ xid, chaddr }) => xid === packet.xid && chaddr === packet.chaddr) ? packet : undefined
  } catch (error) {
    if (error instanceof BadPacket) return undefined
    throw error
  }
}

async function describeServer(address: string, offers: readonly Packet[], probe: ConflictProbe): Promise<OtherServer> {
  const machine = await probe.userOf(address)
  const nameOf = ({ file, options }: Packet) => file || (options.get(optionCodes.bootFile) ?? Buffer.alloc(0)).toString('latin1').replace(/\0.*$/s, '')
  return {
    address,
    machine,
    maker: machine === undefined ? undefined : await makerOf(machine),
    givesAddress: offers.find(({ yiaddr }) => yiaddr !== '0.0.0.0')?.yiaddr,
    boots: offers.map(nameOf).find((name) => name !== '') ?? '',
    isPxe: offers.some(({ options }) => options.get(optionCodes.vendorClass)?.toString('latin1').startsWith('PXEClient') === true),
  }
}

/** For example `10.77.0.9 (52-54-00-12-34-56, made by Dell Inc.) gives addresses such as 10.77.0.51 and boots pxelinux.0`. */
export function renderOtherServer({ address, machine, maker, givesAddress, boots, isPxe }: OtherServer): string {
  const who = machine === undefined ? '' : ` (${machine}${maker === undefined ? '' : `, made by ${maker}`})`
  const does = [
    ...(givesAddress === undefined ? [] : [`gives addresses such as ${givesAddress}`]),
    ...(boots !== '' ? [`boots ${boots}`] : isPxe ? ['says what to boot'] : []),
  ]
  return `${address}${who} ${does.join(' and ') || 'answers'}`
}
