import type { Logger } from 'pino'
import { openTokens, type Tokens } from '../tokens.ts'

/** What has ended is of no use to anyone, and taken away this often. */
const sweepMs = 3_600_000

/** The credentials of a running server: the first start makes an admin, and what has ended is taken away, until it is closed. */
export async function keepTokens(dataDirectory: string, { log }: { log: Logger }): Promise<Tokens & { close(): void }> {
  const tokens = openTokens(dataDirectory)
  const adminToken = await tokens.createFirstAdmin()
  if (adminToken !== undefined) log.info({ file: adminToken }, 'made an admin token: whoever signs in first finds it in this file')
  const sweep = () => void tokens.sweep().catch((error: unknown) => log.warn({ err: error }, 'credentials that have ended could not be taken away'))
  sweep()
  const timer = setInterval(sweep, sweepMs)
  timer.unref()
  return { ...tokens, close: () => clearInterval(timer) }
}
