import { firmwareOf, type Firmware } from './firmware.ts'

/** What a machine says of itself when it asks what to do. */
export interface Asked {
  /** Where it asked: DHCP on port 67, or the boot service on port 4011, to which a proxy offer invites it (PXE specification 2.1, section 2.2). */
  service: 'dhcp' | 'boot-service'
  /** Codes of option 93, empty when absent. */
  architectures: readonly number[]
  /** Option 60, for example `PXEClient:Arch:00007:UNDI:003016`, empty when absent. */
  vendorClass: string
  /** Option 77, for example `iPXE`, empty when absent. */
  userClass: string
  /** Feature codes of iPXE's option 175, empty when absent. */
  ipxeFeatures: ReadonlySet<number>
}

/** Feature code of option 175 that says this iPXE can fetch by HTTP (iPXE's features.h, `DHCP_EB_FEATURE_HTTP`). */
const ipxeHttpFeature = 0x13

export const isIpxe = ({ userClass }: Asked): boolean => userClass === 'iPXE'

/** An iPXE that can go on by HTTP; one that cannot is firmware like any other, and gets our own iPXE. */
export const isIpxeWithHttp = (asked: Asked): boolean => isIpxe(asked) && asked.ipxeFeatures.has(ipxeHttpFeature)

/** Whether it asks for something to boot, and not only for an address. Whoever comes to the boot service does, also without option 60. */
export const isBootClient = (asked: Asked): boolean =>
  asked.service === 'boot-service' || isIpxe(asked) || asked.vendorClass.startsWith('PXEClient') || asked.vendorClass.startsWith('HTTPClient')

/** Option 93, or the code inside the vendor class (PXE specification 2.1, table 2-1) where a ROM sends no option 93. */
export function architecturesOf({ architectures, vendorClass }: Asked): readonly number[] {
  if (architectures.length > 0) return architectures
  const code = /^(?:PXE|HTTP)Client:Arch:(\d{5})/.exec(vendorClass)?.[1]
  return code === undefined ? [] : [Number(code)]
}

export const firmwareOfAsked = (asked: Asked): Firmware | undefined => firmwareOf(architecturesOf(asked))

/** Name of the asking firmware for people, for example `x64 UEFI`, `iPXE on BIOS`, or `none` for an operating system. */
export function describeAsked(asked: Asked): string {
  const codes = architecturesOf(asked)
  const name = firmwareOfAsked(asked)?.name ?? (codes.length > 0 ? `architecture ${codes.join(', ')}` : 'none')
  return isIpxe(asked) ? `iPXE on ${name}` : name
}
