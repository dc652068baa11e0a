import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ServerTask } from './server-process.ts'

export interface ServerProcess {
  url: string
  /** Ends it with SIGKILL, and settles when it is gone. */
  kill(): Promise<void>
}

/** Starts `server-process.ts`, and settles once it listens. */
export async function startServerProcess(task: ServerTask): Promise<ServerProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server-process.ts'), JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const down = ended.then(([code]) => Promise.reject(new Error(`the server of images ended with ${code}`)))
  down.catch(() => {})
  const [url] = (await Promise.race([once(createInterface(child.stdout), 'line'), down])) as [string]
  return {
    url,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
