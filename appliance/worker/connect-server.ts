import type { MachineAnswer } from '../../server/api/credential.ts'
import { claimHeader } from '../../server/api/headers.ts'
import type { JobListAnswer, ListedJob } from '../../server/api/job.ts'
import type { Inventory, MachineSystem } from '../../server/api/machine.ts'
import type { Status, StatusReport } from '../../server/api/status.ts'
import { describeError, OutageError, RefusedError } from './answer-errors.ts'
import type { HttpFetch, HttpInit, HttpResponse } from './http-fetch.ts'

export interface AskInit extends HttpInit {
  signal: AbortSignal
  /** Milliseconds for the whole answer; default 30,000. */
  limitMs?: number
}

/**
 * One request and what is read of its answer. Throws `RefusedError` when the server says no, `OutageError` when it does not answer or cannot
 * (5xx, 408, 429), and the reason of `signal` once that is aborted.
 */
export type Ask = <Result>(path: string, init: AskInit, read: (response: HttpResponse) => Promise<Result>) => Promise<Result>

/** One job server, as a worker without a job sees it. */
export interface ServerConnection {
  /** Address, for example `http://10.77.0.1:8080`. */
  readonly url: string
  readonly ask: Ask
  /** The first jobs that this worker may take now; with `waitSeconds` the server waits that long for one. */
  offers(options: { worker: string; waitSeconds?: number; signal: AbortSignal }): Promise<ListedJob[]>
  sendInventory(inventory: Inventory, signal: AbortSignal): Promise<MachineAnswer>
  /** Takes a job by making its status file (B15). A refusal of 412 means that another was first, 404 that it left the list, 409 that it is not for us. */
  claim(job: string, report: StatusReport, claim: string, signal: AbortSignal): Promise<Status>
  giveBack(job: string, claim: string, signal: AbortSignal): Promise<void>
  /** Adds lines to what the machine said on its console. */
  sendConsole(machine: string, lines: Uint8Array, signal: AbortSignal): Promise<void>
  /** Tells the server that a machine boots from that it has a system of its own from now on, or that it has none after all. */
  settle(machine: string, system: MachineSystem, signal: AbortSignal): Promise<void>
  release(machine: string, signal: AbortSignal): Promise<void>
}

/** A short answer must come within this time. */
const answerLimitMs = 30_000
/** A server that is up tells its first offers at once; a longer wait here keeps the worker from the next server. */
const lookLimitMs = 10_000
const offerCount = 4

/** Bodies of requests and what is read of answers, in the ways the job API has them. */
export const readJson = async <Result>(response: HttpResponse): Promise<Result> => (await response.json()) as Result
/** For answers that say nothing more: reading them to the end frees the connection. */
export const readNothing = async (response: HttpResponse): Promise<void> => void (await response.text())
export const jsonBody = (value: unknown, headers: Record<string, string> = {}) => ({
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json', ...headers },
})

/** Connects to a job server with a credential. Nothing is kept open: each call is one request. */
export function connectServer({ url, credential, fetch }: { url: string; credential: string; fetch: HttpFetch }): ServerConnection {
  const ask: Ask = async (path, { signal, limitMs = answerLimitMs, ...init }, read) => {
    const about = `${init.method ?? 'GET'} ${url}${path}`
    try {
      const response = await fetch(`${url}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${credential}`, ...init.headers },
        signal: limitMs === Infinity ? signal : AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
      })
      if (response.ok) return await read(response)
      const { status } = response
      const { problem, code } = await readProblem(response)
      const message = `${about}: ${status} ${problem}`
      if (status >= 500 || status === 408 || status === 429) throw new OutageError(message)
      throw new RefusedError(status, message, code)
    } catch (error) {
      if (error instanceof RefusedError || error instanceof OutageError) throw error
      signal.throwIfAborted()
      throw new OutageError(`${about}: ${describeError(error)}`, { cause: error })
    }
  }

  return {
    url,
    ask,
    async offers({ worker, waitSeconds, signal }) {
      const wait: Partial<HttpInit> = waitSeconds === undefined ? {} : { headers: { prefer: `wait=${waitSeconds}` } }
      const limitMs = lookLimitMs + (waitSeconds ?? 0) * 1000
      const query = new URLSearchParams({ worker, limit: String(offerCount) })
      return (await ask<JobListAnswer>(`/jobs.json?${query}`, { ...wait, signal, limitMs }, readJson)).jobs
    },
    sendInventory: (inventory, signal) => ask(`/machines/${inventory.id}.json`, { method: 'PUT', ...jsonBody(inventory), signal }, readJson<MachineAnswer>),
    claim: (job, report, claim, signal) =>
      ask(`/status/${job}.json`, { method: 'PUT', ...jsonBody(report, { 'if-none-match': '*', [claimHeader]: claim }), signal }, readJson<Status>),
    sendConsole: (machine, lines, signal) => ask(`/machines/${machine}/console`, { method: 'POST', body: new Uint8Array(lines), headers: { 'content-type': 'text/plain' }, signal }, readNothing),
    settle: (machine, system, signal) => ask(`/machines/${machine}/system`, { method: 'PUT', ...jsonBody(system), signal }, readNothing),
    release: (machine, signal) => ask(`/machines/${machine}/system`, { method: 'DELETE', signal }, readNothing),
    giveBack: (job, claim, signal) => ask(`/status/${job}.json`, { method: 'DELETE', headers: { [claimHeader]: claim }, signal }, readNothing),
  }
}

/** What a refusal says: problem details (RFC 9457), or the errors of the OCI distribution-spec, which have codes. */
async function readProblem(response: HttpResponse): Promise<{ problem: string; code: string | undefined }> {
  const said = (await response.json().catch(() => ({}))) as { title?: string; problems?: string[]; errors?: { code: string; message: string }[] }
  const { title, problems = [], errors = [] } = said
  return { problem: [title, ...problems, ...errors.map(({ message }) => message)].filter(Boolean).join('; '), code: errors[0]?.code }
}
