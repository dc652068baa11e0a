import { readFile, stat } from 'node:fs/promises'
import { IngotError } from './errors.ts'

/** Reads a file that holds a secret. Throws `IngotError` 'data-invalid' when it cannot be read, or when others than its owner may. */
export async function readPrivateFile(path: string): Promise<string> {
  try {
    const { mode } = await stat(path)
    const permissions = (mode & 0o777).toString(8).padStart(4, '0')
    if ((mode & 0o077) === 0) return await readFile(path, 'utf8')
    throw new IngotError('data-invalid', `${path}: expected a file that only its owner may read, got permissions ${permissions}; if nobody else has read it: chmod 600 ${path}`)
  } catch (error) {
    if (error instanceof IngotError) throw error
    throw new IngotError('data-invalid', `${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}
