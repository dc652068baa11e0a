import { readFile } from 'node:fs/promises'

/** The makers of network cards by the first half of their address, as udev brings it (hwdb(7)). */
const database = '/usr/lib/udev/hwdb.d/20-OUI.hwdb'

/** Who made a network card, for example `Dell Inc.` for `24-6e-96-12-34-56`; undefined when this host does not know. */
export async function makerOf(machine: string): Promise<string | undefined> {
  const text = await readFile(database, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return findMaker(text, machine)
}

/** Finds `OUI:246E96*` and the line below it, ` ID_OUI_FROM_DATABASE=Dell Inc.`; the longest prefix that fits counts, for makers share blocks. */
export function findMaker(hwdb: string, machine: string): string | undefined {
  const digits = machine.replaceAll('-', '').toUpperCase()
  for (const length of [9, 7, 6]) {
    const at = hwdb.indexOf(`\nOUI:${digits.slice(0, length)}*\n`)
    const maker = at < 0 ? undefined : /ID_OUI_FROM_DATABASE=(.*)/.exec(hwdb.slice(at, at + 500))?.[1]
    if (maker !== undefined) return maker
  }
  return undefined
}
