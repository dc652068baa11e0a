/** What a machine's network firmware is, as option 93 tells it. */
export interface Firmware {
  /** For people, for example `x64 UEFI`. */
  name: string
  kind: 'bios' | 'uefi'
  /** How it fetches its boot file: by TFTP (PXE) or by HTTP (UEFI specification 2.10, section 24.7, HTTP Boot). */
  transport: 'tftp' | 'http'
  /** Name of the iPXE binary that it can run, or undefined where Debian 12 ships none. */
  bootFile: string | undefined
  /** Name of the signed first program for Secure Boot, where Debian 12 ships one. */
  secureBootFile?: string
}

const biosFile = 'undionly.kpxe'
/** `snponly.efi` drives the NIC through the firmware's own driver, so that it runs on every NIC that the firmware can boot from. */
const uefiFile = 'snponly.efi'

/** Debian's shim, which Microsoft signed; it starts Debian's signed GRUB. */
const shimFile = 'shimx64.efi'

const uefi = (name: string, transport: 'tftp' | 'http', bootFile?: string, secureBootFile?: string): Firmware => ({
  name,
  kind: 'uefi',
  transport,
  bootFile,
  ...(secureBootFile === undefined ? {} : { secureBootFile }),
})

/**
 * Client system architecture types: RFC 4578 section 2.1 and IANA's registry "Processor Architecture Types".
 * 9 is EBC by the registry, but RFC 4578 first swapped it with 7, and x64 firmware sends either.
 */
const firmwareByCode: ReadonlyMap<number, Firmware> = new Map([
  [0, { name: 'BIOS', kind: 'bios', transport: 'tftp', bootFile: biosFile }],
  [6, uefi('IA32 UEFI', 'tftp')],
  [7, uefi('x64 UEFI', 'tftp', uefiFile, shimFile)],
  [9, uefi('x64 UEFI', 'tftp', uefiFile, shimFile)],
  [10, uefi('ARM32 UEFI', 'tftp')],
  [11, uefi('ARM64 UEFI', 'tftp')],
  [15, uefi('IA32 UEFI HTTP', 'http')],
  [16, uefi('x64 UEFI HTTP', 'http', uefiFile, shimFile)],
  [18, uefi('ARM32 UEFI HTTP', 'http')],
  [19, uefi('ARM64 UEFI HTTP', 'http')],
  [20, { name: 'BIOS HTTP', kind: 'bios', transport: 'http', bootFile: biosFile }],
])

/**
 * The firmware behind the architecture codes of option 93, which may list several: the first that can be served,
 * else the first that is known. For example `firmwareOf([7])?.bootFile === 'snponly.efi'`.
 */
export function firmwareOf(codes: readonly number[]): Firmware | undefined {
  const known = codes.map((code) => firmwareByCode.get(code)).filter((firmware) => firmware !== undefined)
  return known.find((firmware) => firmware.bootFile !== undefined) ?? known[0]
}

/** The architecture codes that Secure Boot is served to. */
export const secureBootArchitectures: readonly number[] = [...firmwareByCode].flatMap(([code, { secureBootFile }]) => (secureBootFile === undefined ? [] : [code]))

/** iPXE with drivers of its own for UEFI and BIOS, for the machines that an operator says need it (`BootPolicy`). */
const filesOnDemand = ['ipxe.efi', 'ipxe.pxe']

/** Every boot file that may be offered without Secure Boot: what the TFTP and HTTP services must hold. */
export const bootFiles: readonly string[] = [...new Set([...firmwareByCode.values()].flatMap(({ bootFile }) => bootFile ?? [])), ...filesOnDemand]
