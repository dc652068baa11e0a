import { readElfSection } from './elf.ts'

/** What a kernel module says of itself in its `.modinfo` section, and where it lies. */
export interface KernelModule {
  /** With underscores, as the kernel names it: `virtio_net`. */
  name: string
  /** Path below `/lib/modules/<release>/`, for example `kernel/drivers/net/virtio_net.ko`. */
  path: string
  /** Modules whose symbols it uses. */
  depends: string[]
  /** Patterns of the devices and services it answers, for example `virtio:d00000001v*` or `fs-squashfs`. */
  aliases: string[]
  /** Modules or aliases that it wants loaded before itself though it uses none of their symbols. */
  softDepends: string[]
  /** Firmware files that it may ask for, below `/lib/firmware/`. */
  firmware: string[]
}

/** The kernel takes `-` and `_` in module names as one. */
export const moduleName = (name: string): string => name.replaceAll('-', '_')

/**
 * Reads a module's `.modinfo`: NUL-terminated `key=value` strings (Linux, include/linux/module.h, MODULE_INFO).
 * Throws when the file is no kernel module.
 */
export function parseKernelModule(path: string, bytes: Buffer): KernelModule {
  const section = readElfSection(bytes, '.modinfo')
  if (section === undefined) throw new Error(`${path} has no .modinfo section, so it is no kernel module`)
  const fields = section.toString('latin1').split('\0').filter((field) => field !== '')
  const values = (key: string): string[] =>
    fields.filter((field) => field.startsWith(`${key}=`)).map((field) => field.slice(key.length + 1))
  const words = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '')
  return {
    name: moduleName(path.slice(path.lastIndexOf('/') + 1).replace(/\.ko$/, '')),
    path,
    depends: values('depends').flatMap(words).map(moduleName),
    aliases: values('alias'),
    softDepends: values('softdep').flatMap((text) => words(/\bpre:(.*?)(?:\bpost:|$)/.exec(text)?.[1] ?? '')),
    firmware: values('firmware'),
  }
}
