import { setTimeout as sleep } from 'node:timers/promises'
import type { JobDetails } from '../../api/history.ts'
import type { ListedJob } from '../../api/job.ts'
import { IngotError } from '../../errors.ts'
import { askServer, type ServerAddress } from '../../http-client.ts'
import type { CommandContext } from '../context.ts'

const lookEveryMs = 1000

/** Where a job is: how it left the list, or its state on it. */
const whereabouts = ({ job, end }: JobDetails): string => end ?? (job as ListedJob).state

const ends: readonly string[] = ['performed', 'removed', 'failed', 'cancelled']

/** Reads the log of a job from byte `offset` on; nothing when there is no log yet. */
export async function readLog(address: ServerAddress, id: string, offset = 0, signal?: AbortSignal): Promise<Buffer> {
  const response = await askServer(address, `/logs/${encodeURIComponent(id)}.log?offset=${offset}`, signal === undefined ? {} : { signal }, { allowed: [404] })
  const bytes = Buffer.from(await response.arrayBuffer())
  return response.ok ? bytes : Buffer.alloc(0)
}

export const readDetails = async (address: ServerAddress, id: string, signal?: AbortSignal): Promise<JobDetails> =>
  (await (await askServer(address, `/jobs/${encodeURIComponent(id)}.json`, signal === undefined ? {} : { signal })).json()) as JobDetails

/**
 * Prints the log of a job, line by line as it comes, until the job ends; returns how it ended, or nothing when `signal` is aborted. A server that goes
 * away in between is waited for. Throws `IngotError` when the server refuses or was never there.
 */
export async function followLog(address: ServerAddress, id: string, context: Pick<CommandContext, 'print' | 'say' | 'signal'>): Promise<string | undefined> {
  const { print, say, signal } = context
  const decoder = new TextDecoder()
  let offset = 0
  let begun = ''
  let state: string | undefined
  let away = false
  while (!signal.aborted) {
    try {
      // The state is asked first: when the job has ended, the log that is read after it is whole.
      const details = await readDetails(address, id, signal)
      const bytes = await readLog(address, id, offset, signal)
      if (away) say(`${address.url} is back`)
      away = false
      offset += bytes.byteLength
      const lines = `${begun}${decoder.decode(bytes, { stream: true })}`.split('\n')
      begun = lines.pop()!
      for (const line of lines) print(line)

      const now = whereabouts(details)
      if (ends.includes(now) && begun !== '') print(begun)
      if (now !== state) say(`${id}: ${now}`)
      if (ends.includes(now)) return now
      state = now
    } catch (error) {
      if (signal.aborted) return undefined
      if (state === undefined || !(error instanceof IngotError) || error.code !== 'server-unreachable') throw error
      if (!away) say(`${error.message}; trying again`)
      away = true
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => {})
  }
  return undefined
}
