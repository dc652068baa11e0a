import { hash, randomBytes } from 'node:crypto'
import { Agent, request } from 'undici'
import { claimHeader, jobHeader } from '../../../server/api/headers.ts'
import type { JobListAnswer } from '../../../server/api/job.ts'
import type { Status } from '../../../server/api/status.ts'
import { tinyImage } from './tiny-image.ts'

export interface LoadOptions {
  url: string
  /** The credential of a worker. */
  token: string
  signal: AbortSignal
}

interface Asked {
  method?: 'GET' | 'PUT' | 'POST'
  headers?: Record<string, string>
  body?: string | Buffer
}

/** An answer that no claim which was never taken away may get. */
export class Refused extends Error {}

/**
 * Asks until there is an answer: the server is killed again and again, and a request whose answer was lost is sent once more as it was. Throws the reason
 * of `signal` once that is aborted.
 */
export function createPatientClient({ url, token, signal }: LoadOptions): (path: string, asked?: Asked) => Promise<{ status: number; body: unknown }> {
  const dispatcher = new Agent({ connections: 128 })
  return async (path, { method = 'GET', headers = {}, body } = {}) => {
    for (;;) {
      signal.throwIfAborted()
      try {
        const response = await request(`${url}${path}`, {
          method,
          dispatcher,
          headers: { authorization: `Bearer ${token}`, ...headers },
          ...(body === undefined ? {} : { body }),
        })
        const text = await response.body.text()
        const isJson = String(response.headers['content-type']).includes('json')
        if (response.statusCode >= 500) throw new Refused(`${method} ${path}: ${response.statusCode} ${text}`)
        return { status: response.statusCode, body: isJson ? (JSON.parse(text) as unknown) : text }
      } catch (error) {
        if (error instanceof Refused || error instanceof SyntaxError) throw error
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }
}

/** What became of a job in the hands of a load worker. */
export interface LoadNotes {
  /** Claims that were answered with 201 or 200, by job. */
  claims: Map<string, string[]>
  /** Jobs whose manifest was answered with 201. */
  done: string[]
}

/**
 * A worker without a machine: takes jobs, reports, writes the log, publishes a tiny image, as fast as it is answered, until `signal` is aborted. Whatever a
 * server that is killed at any moment does to it, a claim that was answered is its own to the end: any refusal after it is thrown.
 */
export async function runLoadWorker(worker: string, options: LoadOptions, notes: LoadNotes): Promise<void> {
  const ask = createPatientClient(options)
  const json = { 'content-type': 'application/json' }
  const { blobs, manifest } = tinyImage()
  const expect = async (wanted: readonly number[], path: string, asked: Asked): Promise<unknown> => {
    const { status, body } = await ask(path, asked)
    if (!wanted.includes(status)) throw new Refused(`${asked.method} ${path}: expected ${wanted.join(' or ')}, got ${status} ${JSON.stringify(body)}`)
    return body
  }

  const work = async (id: string): Promise<void> => {
    const claim = randomBytes(32).toString('base64url')
    const taken = await ask(`/status/${id}.json`, { method: 'PUT', headers: { ...json, 'if-none-match': '*', [claimHeader]: claim }, body: JSON.stringify({ worker }) })
    if ([404, 412].includes(taken.status)) return
    if (![200, 201].includes(taken.status)) throw new Refused(`claim of ${id}: ${taken.status} ${JSON.stringify(taken.body)}`)
    notes.claims.set(id, [...(notes.claims.get(id) ?? []), claim])
    const { imageVersion } = taken.body as Status
    const held = { [claimHeader]: claim, [jobHeader]: id }
    await expect([200], `/plans/${id}.json`, { headers: held })
    for (let stepIndex = 0; stepIndex < 3; stepIndex++) {
      const report = { state: 'running', progress: { stepIndex, stepCount: 3, step: 'image' } }
      await expect([200], `/status/${id}.json`, { method: 'PUT', headers: { ...json, ...held, 'if-match': '*' }, body: JSON.stringify(report) })
      await expect([204], `/logs/${id}.log`, { method: 'POST', headers: { 'content-type': 'text/plain', ...held }, body: `step ${stepIndex}\n` })
    }
    for (const bytes of blobs) {
      const digest = `sha256:${hash('sha256', bytes)}`
      const known = await ask(`/v2/disk/blobs/${digest}`, { headers: held })
      if (known.status !== 200) await expect([201], `/v2/disk/blobs/uploads/?digest=${digest}`, { method: 'POST', headers: { 'content-type': 'application/octet-stream', ...held }, body: bytes })
    }
    await expect([201], `/v2/disk/manifests/${imageVersion}`, { method: 'PUT', headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json', ...held }, body: manifest })
    notes.done.push(id)
  }

  try {
    for (;;) {
      const { jobs } = (await expect([200], `/jobs.json?worker=${worker}&limit=4`, {})) as JobListAnswer
      for (const { id } of jobs) await work(id)
      if (jobs.length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
    }
  } catch (error) {
    if (!options.signal.aborted) throw error
  }
}
