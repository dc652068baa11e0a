import { hash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { IngotError } from '../errors.ts'

/**
 * Takes a directory for this process alone and returns what gives it free; the kernel does so too, however the process ends, for what is held is
 * an abstract socket (unix(7)) named after the directory. Throws `IngotError` `demo-failed` when another process has it.
 */
export async function holdDirectory(directory: string): Promise<() => void> {
  const holder = createServer().listen(`\0ingot-${hash('sha256', directory).slice(0, 32)}`)
  holder.unref()
  try {
    await once(holder, 'listening')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new IngotError('demo-failed', `another demo runs in ${directory}: wait for it, or run this one from another checkout`, { cause: error })
  }
  return () => holder.close()
}
