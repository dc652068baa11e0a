import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createFile, removeFile } from '../durable-file.ts'

/*
 * The admin token that the first start makes, so that somebody can sign in at all. It is the one credential that stands somewhere as it is: whoever can
 * read the data directory can make tokens anyway. It may be moved away; `ingot token revoke` takes it with it.
 */

const pathIn = (dataDirectory: string): string => join(dataDirectory, 'admin-token')

/** Writes the first admin token; when it is there already, from a start that was cut short or another server on the same directory, that one stands. */
export async function keepFirstAdminToken(dataDirectory: string, credential: string): Promise<{ path: string; credential: string }> {
  const path = pathIn(dataDirectory)
  if (await createFile(path, `${credential}\n`, { mode: 0o600 })) return { path, credential }
  return { path, credential: (await readFile(path, 'utf8')).trim() }
}

/** The first admin token, as long as it lies there. */
export async function readFirstAdminToken(dataDirectory: string): Promise<string | undefined> {
  try {
    return (await readFile(pathIn(dataDirectory), 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

export const removeFirstAdminToken = (dataDirectory: string): Promise<void> => removeFile(pathIn(dataDirectory))
