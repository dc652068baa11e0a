import { architecturesOf, firmwareOfAsked, isBootClient, isIpxeWithHttp, type Asked } from './asked.ts'
import type { BootPolicy } from './policy.ts'

/** What the first computer knows when the machine asks. */
interface KnownInAnyMode {
  /** Base of its HTTP service, for example `http://10.77.0.1:8080`. */
  httpUrl: string
  policy: BootPolicy
}
/** Addresses are ours to give; `address` is the one that the lease table has for it, undefined when every one is taken. */
export type KnownAsDhcpServer = KnownInAnyMode & { mode: 'dhcp'; address: string | undefined }
/** Another server gives addresses, and we only say what to boot. */
export type KnownAsProxy = KnownInAnyMode & { mode: 'proxy' }

/** Say nothing; the reason goes to the log. */
export interface Silence {
  kind: 'silent'
  reason: string
}
export type AddressOffer =
  /** An address only: an operating system's DHCP client, or firmware that shall boot its local disk or has nothing to boot (then `note` says why). */
  | { kind: 'address'; address: string; note?: string }
  /** An address and what to boot. */
  | ({ kind: 'boot'; address: string } & BootProgram)
export type ProxyOffer =
  /** What to boot, for a machine whose address comes from another server. `direct` spares firmware the search for boot servers. */
  | ({ kind: 'proxy'; direct: boolean } & BootProgram)
  /** Nothing yet: the machine shall ask again on port 4011. */
  | { kind: 'proxy-invitation' }

/** What a machine boots next: the name of a file on TFTP, or a URL. */
export interface BootProgram {
  file: string
  client: 'pxe' | 'http' | 'ipxe'
}

/** Why a machine is left alone, in the words of its timeline. */
export const ignoredNote = 'this machine is set to be ignored'
export const localDiskNote = 'this machine is set to boot its local disk'

/** Longest file name that the header of a DHCP reply holds: 128 bytes with its NUL (RFC 2131, section 2). */
export const longestFileBytes = 127

/**
 * The address of the boot script as iPXE is told it; iPXE fills in the settings itself (`expand_settings` in its autoboot.c).
 * Absolute and by IP address: `${next-server}` has been known to become the router (netboot.xyz #736).
 */
export const ipxeScriptUrl = (httpUrl: string): string => `${httpUrl}/boot/ipxe?mac=\${netX/mac:hexhyp}&uuid=\${uuid}&platform=\${platform}`

/** The whole policy of netboot: what a machine is offered, from what it asked and what is known. Pure. */
export function planOffer(asked: Asked, known: KnownAsDhcpServer): AddressOffer | Silence
export function planOffer(asked: Asked, known: KnownAsProxy): ProxyOffer | Silence
export function planOffer(asked: Asked, known: KnownAsDhcpServer | KnownAsProxy): AddressOffer | ProxyOffer | Silence {
  if (known.policy.boot === 'ignore') return silence(ignoredNote)
  const program = planProgram(asked, known)
  return known.mode === 'proxy' ? planProxyOffer(asked, known, program) : planAddressOffer(known, program)
}

/** A program, or why there is none: an empty note for those who asked for nothing to boot. */
type PlannedProgram = BootProgram | { note: string }

function planProgram(asked: Asked, { httpUrl, policy, mode }: KnownAsDhcpServer | KnownAsProxy): PlannedProgram {
  if (!isBootClient(asked)) return { note: '' }
  if (policy.boot === 'local-disk') return { note: localDiskNote }
  if (isIpxeWithHttp(asked)) return { file: ipxeScriptUrl(httpUrl), client: 'ipxe' }
  const firmware = firmwareOfAsked(asked)
  if (firmware === undefined) return { note: `no boot file for architecture ${architecturesOf(asked).join(', ') || 'unknown'}` }
  if (policy.secureBoot === true && firmware.secureBootFile !== undefined) {
    if (firmware.transport === 'http') return { note: "Secure Boot does not go by UEFI HTTP boot, for Debian's signed GRUB has no HTTP: let the machine boot by PXE" }
    // GRUB looks for its server in the answer of the DHCP server and nowhere else.
    if (mode === 'proxy') return { note: "Secure Boot does not go by proxyDHCP, for Debian's signed GRUB heeds only the DHCP server: use mode: dhcp" }
    return { file: firmware.secureBootFile, client: 'pxe' }
  }
  const file = policy.file ?? firmware.bootFile
  if (file === undefined) return { note: `no boot file for ${firmware.name}` }
  return firmware.transport === 'http' ? { file: `${httpUrl}/boot/${file}`, client: 'http' } : { file, client: 'pxe' }
}

function planAddressOffer({ address }: KnownAsDhcpServer, program: PlannedProgram): AddressOffer | Silence {
  if (address === undefined) return silence('every address of the range is taken')
  if ('file' in program) return { kind: 'boot', address, ...program }
  return { kind: 'address', address, ...(program.note === '' ? {} : program) }
}

function planProxyOffer(asked: Asked, { policy }: KnownAsProxy, program: PlannedProgram): ProxyOffer | Silence {
  if (!('file' in program)) return silence(program.note === '' ? 'asks for an address only, which is for another server to give' : program.note)
  // iPXE and UEFI HTTP boot take what they boot from the offer and from nowhere else.
  if (program.client !== 'pxe') return { kind: 'proxy', ...program, direct: false }
  const reply = policy.proxyReply ?? (firmwareOfAsked(asked)?.kind === 'uefi' ? 'port-4011' : 'direct')
  if (reply === 'port-4011' && asked.service === 'dhcp') return { kind: 'proxy-invitation' }
  return { kind: 'proxy', ...program, direct: reply === 'direct' }
}

const silence = (reason: string): Silence => ({ kind: 'silent', reason })
