import { isIPv4 } from 'node:net'

const zero = '0'.charCodeAt(0)

/** The number behind a dotted address: `parseIpv4('10.77.0.1') === 0x0a4d0001`. Throws a TypeError for anything else. */
export function parseIpv4(address: string): number {
  if (!isIPv4(address)) throw new TypeError(`expected an IPv4 address such as 10.77.0.1, got ${JSON.stringify(address)}`)
  let number = 0
  let octet = 0
  for (let at = 0; at < address.length; at++) {
    const digit = address.charCodeAt(at) - zero
    if (digit >= 0) octet = octet * 10 + digit
    else [number, octet] = [number * 256 + octet, 0]
  }
  return number * 256 + octet
}

/** The dotted address of a number: `formatIpv4(0x0a4d0001) === '10.77.0.1'`. */
export const formatIpv4 = (number: number): string => [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.')

/** The netmask of a prefix length: `formatIpv4(netmaskOf(24)) === '255.255.255.0'`. */
export const netmaskOf = (prefixLength: number): number => (prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0)
