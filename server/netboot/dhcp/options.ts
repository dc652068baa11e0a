import { longestFileBytes } from '../../../boot/offer.ts'
import { parseIpv4 } from '../ipv4.ts'
import { optionCodes } from './codes.ts'
import type { Question } from './question.ts'

export type OptionEntry = [code: number, value: Buffer]

/** IP and UDP headers, which option 57 counts: RFC 2132 section 9.10 leaves it open, Kea and dnsmasq read it so. */
const headerBytes = 28
/** Fixed fields, magic cookie and end mark of a message. */
const fixedBytes = 241
const ethernetMtu = 1500

/** As many options as fit into what the client takes (option 57), the first ones first, the relay's option 82 behind them (RFC 3046, section 2.2). */
export function fitOptions(wanted: readonly OptionEntry[], { packet, maximumMessageBytes }: Question): Map<number, Buffer> {
  const relayAgent = packet.options.get(optionCodes.relayAgent)
  const last: OptionEntry[] = relayAgent === undefined ? [] : [[optionCodes.relayAgent, relayAgent]]
  const sizeOf = (entries: readonly OptionEntry[]) => entries.reduce((bytes, [, value]) => bytes + 2 + value.length, 0)
  let room = Math.min(maximumMessageBytes, ethernetMtu) - headerBytes - fixedBytes - sizeOf(last)
  const fitting = wanted.filter((entry) => {
    const fits = sizeOf([entry]) <= room
    if (fits) room -= sizeOf([entry])
    return fits
  })
  return new Map([...fitting, ...last])
}

/** The machine identifier that a PXE client sent, given back (PXE specification 2.1, table 2-1); some ROMs send none. */
export function echoMachine({ packet }: Question): OptionEntry[] {
  const machine = packet.options.get(optionCodes.clientMachine)
  return machine === undefined ? [] : [[optionCodes.clientMachine, machine]]
}

/** Server and boot file as options too, for the clients that ask for them there. */
export function bootFileOptions({ requestedOptions }: Question, serverAddress: string, file: string): OptionEntry[] {
  const entries: OptionEntry[] = [
    [optionCodes.tftpServerName, Buffer.from(serverAddress)],
    // With its NUL: some ROMs read on to the 0xff of the end mark (netboot.xyz #1198).
    [optionCodes.bootFile, Buffer.from(`${file}\0`)],
  ]
  return entries.filter(([code]) => requestedOptions?.has(code) === true)
}

/** Throws a RangeError for a file name that the header of a reply cannot hold. */
export function checkFile(file: string): string {
  if (Buffer.byteLength(file) > longestFileBytes)
    throw new RangeError(`the boot file ${file} is longer than the ${longestFileBytes} bytes of a DHCP reply`)
  return file
}

export const addressBytes = (address: string): Buffer => uint32(parseIpv4(address))
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
