import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { namesIn } from './names-in.ts'

/** Removes all that is in a folder and keeps the folder, if there is one. */
export async function emptyFolder(path: string): Promise<void> {
  for (const name of await namesIn(path)) await rm(join(path, name), { recursive: true, force: true })
}
