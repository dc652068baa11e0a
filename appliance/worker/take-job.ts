import { closeSync, openSync, readSync } from 'node:fs'
import type { ListedJob } from '../../server/api/job.ts'
import type { Status } from '../../server/api/status.ts'
import { OutageError, RefusedError } from './answer-errors.ts'
import type { ClaimRecord, ClaimRecords } from './claim-records.ts'
import type { ServerConnection } from './connect-server.ts'
import type { HeldJob } from './held-job.ts'

export interface TakeJobOptions {
  worker: string
  records: ClaimRecords
  /** Called when the server says that this machine may not take a job that it offered: perhaps it knows too little of it. */
  onForbidden: () => void
  /** Called with a claim of which nobody knows whether it was made. */
  onDoubt: (record: ClaimRecord) => void
  signal: AbortSignal
}

/** Claims the first of the offers that is still to be had (B15); `undefined` when none is. Throws what a server that fails throws. */
export async function takeJob(server: ServerConnection, offers: readonly ListedJob[], options: TakeJobOptions): Promise<HeldJob | undefined> {
  for (const { id } of offers) {
    const held = await claimJob(server, id, options)
    if (held !== undefined) return held
  }
  return undefined
}

async function claimJob(server: ServerConnection, job: string, { worker, records, onForbidden, onDoubt, signal }: TakeJobOptions): Promise<HeldJob | undefined> {
  const random = readRandom(36)
  const claim = random.toString('base64url', 0, 32)
  const claimId = random.toString('hex', 32)
  const record: ClaimRecord = { server: server.url, job, claim, claimId }
  // Written before the claim, so that no crash in between leaves a job held by a worker that does not know it.
  records.write(record)
  const startedAt = performance.now()
  const ask = (): Promise<Status> => server.claim(job, { worker, server: server.url, state: 'claimed' }, claim, signal)
  try {
    // Of a claim whose answer was lost the same token asks again, and hears that it holds the job.
    const status = await ask().catch((error: unknown) => (error instanceof OutageError ? ask() : Promise.reject(error as Error)))
    const limitMs = Date.parse(status.deadlineAt) - Date.parse(status.claimedAt)
    return { server, job, claim, claimId, imageVersion: status.imageVersion, endsAt: startedAt + limitMs }
  } catch (error) {
    if (error instanceof OutageError) onDoubt(record)
    if (!(error instanceof RefusedError)) throw error
    records.remove(record)
    if (error.status === 409) onForbidden()
    // 412: another was first. 404: it left the list since we looked. 409: it is not for this machine.
    if ([404, 409, 412].includes(error.status)) return undefined
    throw error
  }
}

/** Random bytes of the kernel (random(4)): to load `node:crypto` for them takes a tenth of a second of an emulated machine's way to its claim. */
function readRandom(sizeBytes: number): Buffer {
  const device = openSync('/dev/urandom', 'r')
  try {
    const buffer = Buffer.alloc(sizeBytes)
    const bytesRead = readSync(device, buffer)
    if (bytesRead !== sizeBytes) throw new Error(`/dev/urandom: expected ${sizeBytes} bytes, got ${bytesRead}`)
    return buffer
  } finally {
    closeSync(device)
  }
}
