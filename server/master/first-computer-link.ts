import { EventEmitter, once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Agent, Dispatcher } from 'undici'
import { backoffMs } from '../../appliance/worker/backoff.ts'
import { HttpProblem } from '../http/problem.ts'
import type { FirstComputerConfig } from './master-config.ts'
import { isRefusal, reasonOf, reasonOfRefusal, renderOutage, type Outage } from './outage.ts'
import { renameFor, type Rename } from './rename.ts'

/** In which capacity the master asks. */
export type LinkRole = keyof FirstComputerConfig['credentials']

export interface LinkRequest<Answer = never> {
  role: LinkRole
  method?: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Sent as JSON. */
  body?: unknown
  headers?: Record<string, string>
  /** The `Via` of the request that this one is asked for. */
  via?: string | undefined
  /** Milliseconds for the whole answer; default 30,000. */
  limitMs?: number
  /** What a 404 means; it is thrown unless given. */
  absent?: Answer
  signal?: AbortSignal
}

/** A first computer, as the master knows it. */
export interface FirstComputerLink {
  readonly name: string
  readonly url: string
  /** Its jobs in the names that they have here. */
  readonly rename: Rename
  /** Present while it cannot be reached or refuses the master; ended by itself when it answers again. */
  readonly outage: Outage | undefined
  /** What every request there carries: the master's credential, and the way that the request took so far. */
  headersFor(role: LinkRole, via: string | undefined): { authorization: string; via: string }
  /**
   * Asks for JSON. Throws `HttpProblem`: 503 when there is no answer, 502 when it refuses the master or answers with something else, otherwise what it
   * refused with. Throws the reason of `signal` once that is aborted.
   */
  ask<Answer>(path: string, request: LinkRequest<Answer>): Promise<Answer>
  /** Asks for what has no end, and gives it as it comes; throws like `ask`. */
  open(path: string, request: Omit<LinkRequest, 'limitMs'>): Promise<Readable>
  /** Takes note that a request got no answer, and returns the problem to refuse with. */
  failed(error: Error): HttpProblem
  /** Takes note that the master was refused (401, 403), and returns the problem to refuse with. */
  refused(status: number): HttpProblem
  /** Reads a JSON answer of success; throws `HttpProblem` 502 when it is none. */
  parse(text: string): unknown
  /** Resolves when there is no outage; throws the reason of `signal` once that is aborted. */
  reachable(signal: AbortSignal): Promise<void>
  /** Calls `listener` each time that an outage has ended. */
  onReturn(listener: () => void): void
  /** Asks whether it is there; never throws. */
  probe(): Promise<void>
  close(): void
}

const answerLimitMs = 30_000
const probeLimitMs = 5000
/** One that is away is asked this soon, and at least this often, whether it is back. */
const probeBackoff = { firstMs: 250, capMs: 10_000 }

export interface LinkOptions {
  agent: Agent
  /** Name of this master in `Via` headers. */
  pseudonym: string
  log: Logger
}

export function linkFirstComputer({ name, url, credentials }: FirstComputerConfig, { agent, pseudonym, log }: LinkOptions): FirstComputerLink {
  const closed = new AbortController()
  const changes = new EventEmitter<{ return: [] }>().setMaxListeners(0)
  const { origin, pathname } = new URL(url)
  const base = pathname.replace(/\/$/, '')
  let outage: Outage | undefined

  const headersFor: FirstComputerLink['headersFor'] = (role, via) => ({
    authorization: `Bearer ${credentials[role]}`,
    via: `${via === undefined ? '' : `${via}, `}1.1 ${pseudonym}`,
  })

  const begin = (reason: string): void => {
    if (outage !== undefined || closed.signal.aborted) return
    outage = { since: new Date(), reason }
    log.warn({ firstComputer: name, url, reason }, 'first computer lost')
    void watch().catch((error: unknown) => {
      if (!closed.signal.aborted) throw error
    })
  }
  async function watch(): Promise<void> {
    for (let failures = 1; outage !== undefined; failures++) {
      await sleep(backoffMs(failures, probeBackoff), undefined, { signal: closed.signal })
      const reason = await faultOfProbe()
      if (reason !== undefined) outage.reason = reason
      else {
        log.info({ firstComputer: name, url, since: outage.since }, 'first computer is back')
        outage = undefined
        changes.emit('return')
      }
    }
  }

  const send = (path: string, { role, method = 'GET', body, headers, via, limitMs = answerLimitMs, signal }: LinkRequest<unknown>): Promise<Dispatcher.ResponseData> =>
    agent.request({
      origin,
      path: `${base}${path}`,
      method,
      headers: { ...headersFor(role, via), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: body === undefined ? null : JSON.stringify(body),
      headersTimeout: 0,
      bodyTimeout: 0,
      signal: AbortSignal.any([closed.signal, ...(limitMs === Infinity ? [] : [AbortSignal.timeout(limitMs)]), ...(signal === undefined ? [] : [signal])]),
    })

  /** What keeps the master from this first computer, if anything: a request that costs nothing there, with each credential. */
  async function faultOfProbe(): Promise<string | undefined> {
    for (const role of ['worker', 'operator'] as const) {
      try {
        const { statusCode, body } = await send('/v2/', { role, limitMs: probeLimitMs })
        await body.dump()
        if (isRefusal(statusCode)) return reasonOfRefusal(statusCode)
      } catch (error) {
        return reasonOf(error as Error)
      }
    }
    return undefined
  }

  const failed = (error: Error): HttpProblem => {
    begin(reasonOf(error))
    return new HttpProblem(503, renderOutage(name, outage ?? { since: new Date(), reason: reasonOf(error) }))
  }
  const refused = (status: number): HttpProblem => {
    begin(reasonOfRefusal(status))
    return new HttpProblem(502, `first computer '${name}' ${reasonOfRefusal(status)}`)
  }

  /** Takes note when there is no answer, but for the asker's own leaving. */
  const answered = async <Result>({ signal }: { signal?: AbortSignal }, act: () => Promise<Result>): Promise<Result> => {
    try {
      return await act()
    } catch (error) {
      signal?.throwIfAborted()
      throw failed(error as Error)
    }
  }
  const parse = (text: string): unknown => {
    try {
      return JSON.parse(text)
    } catch (error) {
      throw new HttpProblem(502, `first computer '${name}' answered with something else than JSON: ${(error as Error).message}`)
    }
  }
  const said = (status: number, text: string): HttpProblem => {
    if (isRefusal(status)) return refused(status)
    const { title, problems } = parseProblem(text)
    return new HttpProblem(status, `first computer '${name}': ${title ?? `answered ${status}`}`, problems)
  }

  return {
    name,
    url,
    rename: renameFor(name),
    get outage() {
      return outage
    },
    headersFor,
    failed,
    refused,
    parse,
    async ask<Answer>(path: string, request: LinkRequest<Answer>) {
      const { status, text } = await answered(request, async () => {
        const { statusCode, body } = await send(path, request)
        return { status: statusCode, text: await body.text() }
      })
      if (status === 404 && request.absent !== undefined) return request.absent
      if (status >= 400) throw said(status, text)
      return parse(text) as Answer
    },
    async open(path, request) {
      const { statusCode, body } = await answered(request, () => send(path, { ...request, limitMs: Infinity }))
      if (statusCode >= 400) throw said(statusCode, await answered(request, () => body.text()))
      return body
    },
    async reachable(signal) {
      signal.throwIfAborted()
      if (outage !== undefined) await once(changes, 'return', { signal })
    },
    onReturn: (listener) => void changes.on('return', listener),
    async probe() {
      const reason = await faultOfProbe()
      if (reason !== undefined) begin(reason)
    },
    close: () => closed.abort(new Error('the master stops')),
  }
}

/** Problem details (RFC 9457), or whatever else stood there. */
function parseProblem(text: string): { title?: string; problems?: string[] } {
  try {
    return JSON.parse(text) as { title?: string; problems?: string[] }
  } catch {
    return {}
  }
}
