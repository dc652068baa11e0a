import { firmwareOf } from './firmware.ts'

/** What a machine says of itself when it asks for an address. */
export interface Asked {
  /** Codes of option 93, empty when absent. */
  architectures: readonly number[]
  /** Option 60, for example `PXEClient:Arch:00007:UNDI:003016`, empty when absent. */
  vendorClass: string
  /** Option 77, for example `iPXE`, empty when absent. */
  userClass: string
  /** Feature codes of iPXE's option 175, empty when absent. */
  ipxeFeatures: ReadonlySet<number>
}

/** What the first computer knows when the machine asks. */
export interface Known {
  /** The address that the lease table has for it; undefined when every address is taken. */
  address: string | undefined
  /** Address of the first computer on the boot network, for example `10.77.0.1`. */
  serverAddress: string
  /** Base of its HTTP service, for example `http://10.77.0.1:8080`. */
  httpUrl: string
}

export type Offer =
  /** Say nothing; the reason goes to the log. */
  | { kind: 'silent'; reason: string }
  /** An address only: an operating system's DHCP client, or firmware that nothing can be offered to (then `note` says why). */
  | { kind: 'address'; address: string; note?: string }
  /** An address and what to boot: the name of a file on TFTP, or a URL. */
  | { kind: 'boot'; address: string; file: string; client: 'pxe' | 'http' | 'ipxe' }

/** Feature code of option 175 that says this iPXE can fetch by HTTP (iPXE's features.h, `DHCP_EB_FEATURE_HTTP`). */
const ipxeHttpFeature = 0x13

/** Longest file name that the header of a DHCP reply holds: 128 bytes with its NUL (RFC 2131, section 2). */
export const longestFileBytes = 127

/**
 * The address of the boot script as iPXE is told it; iPXE fills in the settings itself (`expand_settings` in its autoboot.c).
 * Absolute and by IP address: `${next-server}` has been known to become the router (netboot.xyz #736).
 */
export const ipxeScriptUrl = (httpUrl: string): string => `${httpUrl}/boot/ipxe?mac=\${netX/mac:hexhyp}&uuid=\${uuid}&platform=\${platform}`

/** The whole policy of netboot: what a machine is offered, from what it asked and what is known. Pure. */
export function planOffer(asked: Asked, known: Known): Offer {
  const { address } = known
  if (address === undefined) return { kind: 'silent', reason: 'every address of the range is taken' }
  if (isIpxe(asked) && asked.ipxeFeatures.has(ipxeHttpFeature)) {
    return { kind: 'boot', address, file: ipxeScriptUrl(known.httpUrl), client: 'ipxe' }
  }
  if (!isBootClient(asked)) return { kind: 'address', address }
  const firmware = firmwareOf(architecturesOf(asked))
  if (firmware === undefined)
    return { kind: 'address', address, note: `no boot file for architecture ${architecturesOf(asked).join(', ') || 'unknown'}` }
  if (firmware.bootFile === undefined) return { kind: 'address', address, note: `no boot file for ${firmware.name}` }
  if (firmware.transport === 'http') return { kind: 'boot', address, file: `${known.httpUrl}/boot/${firmware.bootFile}`, client: 'http' }
  return { kind: 'boot', address, file: firmware.bootFile, client: 'pxe' }
}

/** Name of the asking firmware for people, for example `x64 UEFI`, `iPXE on BIOS`, or `none` for an operating system. */
export function describeAsked(asked: Asked): string {
  const codes = architecturesOf(asked)
  const name = firmwareOf(codes)?.name ?? (codes.length > 0 ? `architecture ${codes.join(', ')}` : 'none')
  return isIpxe(asked) ? `iPXE on ${name}` : name
}

const isIpxe = ({ userClass }: Asked) => userClass === 'iPXE'
const isBootClient = (asked: Asked) =>
  isIpxe(asked) || asked.vendorClass.startsWith('PXEClient') || asked.vendorClass.startsWith('HTTPClient')

/** Option 93, or the code inside the vendor class (PXE specification 2.1, table 2-1) where a ROM sends no option 93. */
function architecturesOf({ architectures, vendorClass }: Asked): readonly number[] {
  if (architectures.length > 0) return architectures
  const code = /^(?:PXE|HTTP)Client:Arch:(\d{5})/.exec(vendorClass)?.[1]
  return code === undefined ? [] : [Number(code)]
}
