import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Environment variable that every program of a job is started with: the hash of its claim. */
export const claimVariable = 'INGOT_CLAIM'

const roundMs = 20
const limitMs = 10_000

/** Which programs are meant: those that live, work or have a file open below `directory`, and those that carry a claim in their environment. */
export interface ProgramsToEnd {
  /** Where a system is mounted: a service that was started there may have cleared its environment, but its root is there (proc(5)). */
  directory: string
  /** Names the claim, for example `9f86d081`. */
  claimId?: string
}

/**
 * Ends programs at once, children of children and services included, and settles when all are gone. Nothing asks them to end well: it is for those whose
 * work is worth nothing any more. Throws when some of them still live after 10 s.
 */
export async function endPrograms(wanted: ProgramsToEnd): Promise<void> {
  const startedAt = performance.now()
  for (;;) {
    const pids = await find(wanted)
    if (pids.length === 0) return
    if (performance.now() - startedAt > limitMs) throw new Error(`programs in ${wanted.directory} cannot be ended: ${pids.join(' ')}`)
    for (const pid of pids) kill(pid)
    await sleep(roundMs)
  }
}

async function find(wanted: ProgramsToEnd): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(pids.map(async (pid) => (pid !== process.pid && (await isOne(pid, wanted)) ? [pid] : [])))
  return found.flat()
}

async function isOne(pid: number, { claimId, directory }: ProgramsToEnd): Promise<boolean> {
  const folder = `/proc/${pid}`
  const environment = claimId === undefined ? '' : await readFile(join(folder, 'environ'), 'latin1').catch(gone('' as string))
  if (environment.split('\0').includes(`${claimVariable}=${claimId}`)) return true
  const files = (await readdir(join(folder, 'fd')).catch(gone([] as string[]))).map((name) => join('fd', name))
  const links = await Promise.all(['root', 'cwd', 'exe', ...files].map((name) => readlink(join(folder, name)).catch(gone(''))))
  return links.some((path) => path === directory || path.startsWith(`${directory}/`))
}

/** A process may end while it is looked at, a kernel thread has no program, and another user's is none of ours. */
const gone =
  <Value>(value: Value) =>
  (error: NodeJS.ErrnoException): Value => {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(error.code ?? '')) return value
    throw error
  }

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    gone(undefined)(error as NodeJS.ErrnoException)
  }
}
