import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * One digest over everything that shapes the appliance, for example `sha256:5f1d…`: the same inputs give the same key, whatever the order of
 * their names. Buffers count by their bytes, anything else as JSON.
 */
export function digestInputs(inputs: Readonly<Record<string, unknown>>): string {
  const hash = createHash('sha256')
  for (const name of Object.keys(inputs).sort()) {
    const value = inputs[name]
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))
    hash.update(`${name}\0${bytes.length}\0`).update(bytes)
  }
  return `sha256:${hash.digest('hex')}`
}

/** The sources of this directory, that is the builder itself, its lists and the scripts that go in. */
export async function readOwnSources(): Promise<Record<string, Buffer>> {
  const files = (await readdir(import.meta.dirname, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const sources = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name)
    return [`appliance/os${path.slice(import.meta.dirname.length)}`, await readFile(path)] as const
  })
  return Object.fromEntries(await Promise.all(sources))
}
