import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ComponentRef } from '../../images/component.ts'
import type { Plan } from '../../images/plan.ts'
import type { MachineAnswer } from '../../server/api/credential.ts'
import type { Descriptor } from '../../server/api/image.ts'
import { mediaTypes } from '../../server/api/media-types.ts'
import type { ListedJob } from '../../server/api/job.ts'
import type { Inventory } from '../../server/api/machine.ts'
import { claimHeader, jobHeader } from '../../server/api/headers.ts'
import type { Status, StatusReport } from '../../server/api/status.ts'
import type { JobServer } from '../server-client.ts'
import type { HttpFetch, HttpInit, HttpResponse } from './http-fetch.ts'

/** A server that answered no, with what it said. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** One job server, as a worker without a job sees it. */
export interface ServerConnection {
  readonly url: string
  jobs(signal: AbortSignal): Promise<ListedJob[]>
  sendInventory(inventory: Inventory, signal: AbortSignal): Promise<MachineAnswer>
  /** Takes a job by making its status file (B15); nothing when another worker was first. */
  claim(job: string, report: StatusReport, claim: string, signal: AbortSignal): Promise<Status | undefined>
  claimed(job: string, claim: string): ClaimedJob
}

/** A job server, as the worker that holds one of its jobs sees it. */
export interface ClaimedJob extends JobServer {
  plan(signal: AbortSignal): Promise<Plan>
  report(report: StatusReport, signal: AbortSignal): Promise<void>
  log(text: string, signal: AbortSignal): Promise<void>
}

/** A short answer must come within this time; long bodies have no limit of their own. */
const answerLimitMs = 30_000
const uploadTries = 5

/** Connects to a job server with a credential. */
export function connectServer({ url, credential, fetch }: { url: string; credential: string; fetch: HttpFetch }): ServerConnection {
  const ask = async (path: string, init: HttpInit, signal: AbortSignal): Promise<HttpResponse> => {
    const response = await fetch(`${url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${credential}`, ...init.headers },
      signal,
    })
    if (response.ok) return response
    const problem = (await response.json().catch(() => ({}))) as { title?: string; problems?: string[]; errors?: { message: string }[] }
    const said = [problem.title, ...(problem.problems ?? []), ...(problem.errors ?? []).map((error) => error.message)].filter(Boolean).join('; ')
    throw new RefusedError(response.status, `${init.method ?? 'GET'} ${url}${path}: ${response.status} ${said}`)
  }
  /** For answers that say nothing more: reading them to the end frees the connection. */
  const tell = async (path: string, init: HttpInit, signal: AbortSignal): Promise<void> => {
    await (await ask(path, init, signal)).text()
  }
  const limited = (signal: AbortSignal) => AbortSignal.any([signal, AbortSignal.timeout(answerLimitMs)])
  const json = (method: string, body: unknown, headers: Record<string, string> = {}) => ({
    method,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  })

  return {
    url,
    async jobs(signal) {
      const response = await ask('/jobs.json', {}, limited(signal))
      return ((await response.json()) as { jobs: ListedJob[] }).jobs
    },
    async sendInventory(inventory, signal) {
      return (await ask(`/machines/${inventory.id}.json`, json('PUT', inventory), limited(signal))).json() as Promise<MachineAnswer>
    },
    async claim(job, report, claim, signal) {
      try {
        const response = await ask(`/status/${job}.json`, json('PUT', report, { 'if-none-match': '*', [claimHeader]: claim }), limited(signal))
        return (await response.json()) as Status
      } catch (error) {
        // 412: another worker was first. 404: the job left the list since we read it.
        if (error instanceof RefusedError && (error.status === 412 || error.status === 404)) return undefined
        throw error
      }
    },
    claimed(job, claim) {
      const held = { [jobHeader]: job, [claimHeader]: claim }
      return {
        url,
        job,
        async plan(signal) {
          return (await ask(`/plans/${job}.json`, {}, limited(signal))).json() as Promise<Plan>
        },
        async report(report, signal) {
          await tell(`/status/${job}.json`, json('PUT', report, held), limited(signal))
        },
        async log(text, signal) {
          await tell(`/logs/${job}.log`, { method: 'POST', body: text, headers: { 'content-type': 'text/plain', ...held } }, limited(signal))
        },
        async component(ref, signal) {
          const response = await ask(`/components/${ref.digest}`, { headers: held }, signal)
          if (response.body === null) throw new Error(`component ${ref.name}: the server sent nothing`)
          return checked(response.body, ref)
        },
        async hasBlob(image, digest, signal) {
          try {
            await tell(`/v2/${image}/blobs/${digest}`, { method: 'HEAD', headers: held }, limited(signal))
            return true
          } catch (error) {
            if (error instanceof RefusedError && error.status === 404) return false
            throw error
          }
        },
        async pushBlob(image, digest, bytes, signal) {
          // A blob is named by its content, so that sending it again after a cut connection does no harm. A refusal is final.
          for (let attempt = 1; ; attempt++) {
            try {
              await tell(
                `/v2/${image}/blobs/uploads/?digest=${digest}`,
                { method: 'POST', body: bytes as Uint8Array<ArrayBuffer>, headers: { 'content-type': 'application/octet-stream', ...held } },
                signal,
              )
              return
            } catch (error) {
              if (signal.aborted || attempt === uploadTries || (error instanceof RefusedError && error.status < 500)) throw error
              await sleep(500 * 2 ** attempt, undefined, { signal })
            }
          }
        },
        async pushManifest(image, tag, manifest, signal): Promise<Descriptor> {
          await tell(
            `/v2/${image}/manifests/${tag}`,
            { method: 'PUT', body: manifest as Uint8Array<ArrayBuffer>, headers: { 'content-type': mediaTypes.manifest, ...held } },
            signal,
          )
          const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`
          return { mediaType: mediaTypes.manifest, digest, size: manifest.byteLength }
        },
      }
    },
  }
}

/** Passes bytes on and fails at the end unless they were what the reference says. */
async function* checked(body: AsyncIterable<Uint8Array>, ref: ComponentRef): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const piece of body) {
    hash.update(piece)
    sizeBytes += piece.byteLength
    yield piece
  }
  const digest = `sha256:${hash.digest('hex')}`
  if (sizeBytes !== ref.sizeBytes) throw new Error(`component ${ref.name}: expected ${ref.sizeBytes} bytes, got ${sizeBytes}`)
  if (digest !== ref.digest) throw new Error(`component ${ref.name}: expected ${ref.digest}, got ${digest}`)
}
