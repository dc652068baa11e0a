/** What the boot script told this machine on the kernel command line. */
export interface BootArguments {
  /** The first computer it booted from, as its worker speaks to it, for example `https://10.77.0.1:8443`. */
  server: string
  /** Of the key, or the authority's key, by which that shows to be the one; absent when it speaks plain HTTP. */
  fingerprint?: string
  /** Single-use ticket, exchanged for this machine's credential. */
  ticket: string
  /** MAC of the NIC that booted, with dashes and lower case; absent when the boot path does not tell. */
  bootMac: string | undefined
}

/** The value of `name=value` on a kernel command line, the last one if it stands there twice. */
const argument = (commandLine: string, name: string): string | undefined =>
  commandLine
    .trim()
    .split(/\s+/)
    .findLast((word) => word.startsWith(`${name}=`))
    ?.slice(name.length + 1)

/** Reads `/proc/cmdline`. Throws an `Error` that names the argument which is missing. */
export function parseCommandLine(commandLine: string): BootArguments {
  const need = (name: string): string => {
    const value = argument(commandLine, name)
    if (value === undefined || value === '') throw new Error(`kernel command line: expected ${name}=…, got ${commandLine.trim()}`)
    return value
  }
  // BOOTIF is the hardware type and the address: 01-52-54-00-12-34-56 from iPXE and PXELINUX, with colons from GRUB.
  const bootIf = argument(commandLine, 'BOOTIF')?.toLowerCase().replaceAll(':', '-')
  const bootMac = bootIf === undefined ? undefined : /^(?:01-)?([0-9a-f]{2}(?:-[0-9a-f]{2}){5})$/.exec(bootIf)?.[1]
  const withoutSlash = (url: string): string => url.replace(/\/$/, '')
  const boot = { ticket: need('ingot.ticket'), bootMac }
  // One without the other must not end in plain HTTP.
  if (argument(commandLine, 'ingot.tls') === undefined && argument(commandLine, 'ingot.https') === undefined) return { server: withoutSlash(need('ingot.server')), ...boot }
  return { server: withoutSlash(need('ingot.https')), fingerprint: need('ingot.tls'), ...boot }
}
