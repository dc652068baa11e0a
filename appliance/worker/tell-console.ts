import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { OutageError } from './answer-errors.ts'
import { backoffMs } from './backoff.ts'
import type { ServerConnection } from './connect-server.ts'
import { followKernelLog } from './kernel-log.ts'
import { awayBackoff } from './keep-trying.ts'
import type { LogBuffer } from './log-buffer.ts'

export interface TellConsoleOptions {
  /** The one that the machine booted from. */
  server: Pick<ServerConnection, 'sendConsole'>
  /** Id of the machine. */
  machine: string
  /** What the worker said and says. What the kernel says is added. */
  lines: LogBuffer
  /** For example `/dev/kmsg`. */
  kernelLogPath: string
  log: Logger
  signal: AbortSignal
}

const everyMs = 1000

/**
 * Tells a server what a machine says on its console, with a job and without one, until the signal is aborted or the server refuses. Never throws: no work
 * needs it. Lines of which the answer was lost are told again.
 */
export async function tellConsole({ server, machine, lines, kernelLogPath, log, signal }: TellConsoleOptions): Promise<void> {
  const over = new AbortController()
  const until = AbortSignal.any([signal, over.signal])
  const kernelLog = followKernelLog({ path: kernelLogPath, onLine: lines.push, told: { sequence: -1 }, signal: until })
  let failures = 0
  while (!until.aborted) {
    try {
      for (let batch = lines.next(); batch !== undefined; batch = lines.next()) {
        await server.sendConsole(machine, batch, until)
        lines.arrived(batch.byteLength)
      }
      failures = 0
    } catch (error) {
      if (until.aborted) break
      failures++
      if (!(error instanceof OutageError)) {
        log.warn({ reason: (error as Error).message }, 'the server does not take what this machine says')
        over.abort()
      }
    }
    await sleep(failures === 0 ? everyMs : backoffMs(failures, awayBackoff), undefined, { signal: until }).catch(() => {})
  }
  await kernelLog
}
