import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

export interface KernelLogOptions {
  /** For example `/dev/kmsg` (Documentation/ABI/testing/dev-kmsg of Linux). */
  path: string
  /** A line as people read it, for example `kernel: [   12.345678] sd 0:0:0:0: [sda] Attached SCSI disk`. */
  onLine: (line: string) => void
  /** How far it was told already: what came before is not told again. Kept up to date here. */
  told: KernelLogPosition
  /** Aborted, it ends. */
  signal: AbortSignal
  limits?: Partial<KernelLogLimits>
}

/** The record that was told last; -1 for none since the boot. */
export interface KernelLogPosition {
  sequence: number
}

export interface KernelLogLimits {
  /** Lines at once; what the kernel said since the boot must fit. */
  burst: number
  /** Further lines in a second: a disk that fails says the same thousands of times. */
  perSecond: number
  /** Characters of a line. */
  longestLine: number
  /** How often it is looked for more, in milliseconds. */
  everyMs: number
}

const defaults: KernelLogLimits = { burst: 2000, perSecond: 20, longestLine: 500, everyMs: 1000 }
/** The kernel has no longer record. */
const recordBytes = 8192

/**
 * Tells what the kernel has said since the boot and goes on saying, until the signal is aborted. Never throws: no work needs a kernel log. Read without
 * blocking, since a read that waits keeps one of the few threads that files are read by.
 */
export async function followKernelLog({ path, onLine, told, signal, limits }: KernelLogOptions): Promise<void> {
  const { burst, perSecond, longestLine, everyMs } = { ...defaults, ...limits }
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined)
  if (file === undefined) return
  let allowed = burst
  let leftOut = 0
  let rest = ''
  const tellLeftOut = (): void => {
    if (leftOut === 0) return
    onLine(`kernel: [${leftOut} lines are left out here: more than ${perSecond} a second]`)
    leftOut = 0
  }
  const tell = (line: string): void => {
    const record = parseKernelRecord(line)
    if (record === undefined || record.sequence <= told.sequence) return
    told.sequence = record.sequence
    if (allowed < 1) return void leftOut++
    allowed--
    tellLeftOut()
    onLine(`kernel: [${record.seconds.toFixed(6).padStart(12)}] ${record.text.slice(0, longestLine)}`)
  }
  try {
    const buffer = Buffer.alloc(recordBytes)
    while (!signal.aborted) {
      for (let bytes = 1; bytes > 0 && !signal.aborted; ) {
        // EAGAIN: that is all for now. EPIPE: the kernel needed the room of what comes next; what follows it is there.
        bytes = await file.read(buffer, 0, recordBytes, null).then(({ bytesRead }) => bytesRead, (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? 1 : 0))
        const lines = (rest + buffer.toString('utf8', 0, bytes > 1 ? bytes : 0)).split('\n')
        rest = lines.pop()!
        for (const line of lines) tell(line)
      }
      await sleep(everyMs, undefined, { signal }).catch(() => {})
      allowed = Math.min(burst, allowed + (perSecond * everyMs) / 1000)
    }
    tellLeftOut()
  } finally {
    await file.close()
  }
}

/** One line of `/dev/kmsg`: `6,339,5140900,-;NET: Registered protocol family 10`. Nothing for the fields that may follow it, which begin with a space. */
export function parseKernelRecord(line: string): { sequence: number; seconds: number; text: string } | undefined {
  const [, sequence, microseconds, text] = /^\d+,(\d+),(\d+),[^;]*;(.*)$/s.exec(line) ?? []
  if (sequence === undefined || microseconds === undefined || text === undefined) return undefined
  // The kernel tells its command line, and of this the ticket is nobody's business, spent as it is.
  const told = text.replaceAll(/(\bingot\.ticket=)\S+/g, '$1…')
  // The kernel escapes most of what a terminal obeys; nothing of the rest gets through either.
  return { sequence: Number(sequence), seconds: Number(microseconds) / 1e6, text: told.replaceAll(/\\x[0-9a-f]{2}|[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?') }
}
