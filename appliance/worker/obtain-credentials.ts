import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { CredentialAnswer } from '../../server/api/credential.ts'
import { describeError } from './answer-errors.ts'
import { backoffMs } from './backoff.ts'
import type { BootArguments } from './command-line.ts'
import type { HttpFetch } from './http-fetch.ts'
import { giveUpAfterMs, UnreachableError } from './unreachable-error.ts'

export interface ObtainCredentialsOptions {
  boot: Pick<BootArguments, 'server' | 'ticket'>
  fetch: HttpFetch
  /** Keeps `credentials.json` for the next start of the worker's process. */
  stateDirectory: string
  log: Logger
}

/** Exchanges this boot's ticket for credentials, once per boot. Throws `UnreachableError` when the boot server is gone or refuses the ticket. */
export async function obtainCredentials({ boot, fetch, stateDirectory, log }: ObtainCredentialsOptions): Promise<CredentialAnswer> {
  const path = join(stateDirectory, 'credentials.json')
  mkdirSync(stateDirectory, { recursive: true })
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as CredentialAnswer
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const startedAt = performance.now()
  for (let failures = 1; ; failures++) {
    try {
      const response = await fetch(`${boot.server}/credentials`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ticket: boot.ticket }),
        signal: AbortSignal.timeout(30_000),
      })
      const answer: unknown = await response.json()
      // Used tickets stay used: only a new boot gives a new one.
      if (response.status === 401) throw new UnreachableError(`the boot server refuses this boot's ticket: ${(answer as { title?: string }).title}`)
      if (!response.ok) throw new Error(`${boot.server}/credentials answered ${response.status}`)
      writeFileSync(`${path}.tmp`, JSON.stringify(answer), { mode: 0o600 })
      renameSync(`${path}.tmp`, path)
      return answer as CredentialAnswer
    } catch (error) {
      if (error instanceof UnreachableError) throw error
      if (performance.now() - startedAt > giveUpAfterMs) {
        throw new UnreachableError(`the boot server did not answer for ${giveUpAfterMs / 1000} s: ${describeError(error)}`)
      }
      const againInMs = Math.round(backoffMs(failures, { firstMs: 1000, capMs: 15_000 }))
      log.warn({ server: boot.server, reason: describeError(error), againInMs }, 'no credential yet')
      await sleep(againInMs)
    }
  }
}
