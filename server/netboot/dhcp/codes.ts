/** DHCP options that the boot services read or send. RFC 2132, with the source of every other beside it. */
export const optionCodes = {
  pad: 0,
  subnetMask: 1,
  router: 3,
  nameServers: 6,
  domainName: 15,
  broadcastAddress: 28,
  vendorSpecific: 43,
  requestedAddress: 50,
  leaseSeconds: 51,
  overload: 52,
  messageType: 53,
  serverIdentifier: 54,
  parameterRequestList: 55,
  message: 56,
  maximumMessageBytes: 57,
  renewalSeconds: 58,
  rebindingSeconds: 59,
  vendorClass: 60,
  clientIdentifier: 61,
  tftpServerName: 66,
  bootFile: 67,
  /** RFC 3004 */
  userClass: 77,
  /** RFC 3046 */
  relayAgent: 82,
  /** RFC 4578 */
  clientArchitecture: 93,
  /** RFC 4578 */
  clientInterface: 94,
  /** RFC 4578 */
  clientMachine: 97,
  /** Etherboot encapsulated options: iPXE's dhcp.h, `DHCP_EB_ENCAP` */
  ipxe: 175,
  end: 255,
} as const

/** RFC 2132, section 9.6. */
export const messageTypes = { discover: 1, offer: 2, request: 3, decline: 4, ack: 5, nak: 6, release: 7, inform: 8 } as const
export type MessageType = keyof typeof messageTypes

const typeByCode = new Map<number, MessageType>(Object.entries(messageTypes).map(([name, code]) => [code, name as MessageType]))
export const messageTypeOf = (code: number | undefined): MessageType | undefined => (code === undefined ? undefined : typeByCode.get(code))

/** Bit of the field `flags`: RFC 2131, section 2. */
export const broadcastFlag = 0x8000

export const serverPort = 67
export const clientPort = 68
/** Where a proxy offer invites machines to: PXE specification 2.1, section 2.2.3. */
export const bootServicePort = 4011
