import { fetch, type BodyInit, type Dispatcher, type RequestInit, type Response } from 'undici'
import { IngotError } from '../errors.ts'

/** Where a registry is, and who we are there. */
export interface RegistryAddress {
  /** For example `https://registry.example:5000/team`; what follows the host is put before every name. */
  url: string
  credentials?: { username: string; password: string }
  /** How it is reached; default as undici does. */
  dispatcher?: Dispatcher
  /** Aborted, nothing is waited for any more. */
  signal?: AbortSignal
}

export interface RegistryRequest {
  /** Name of the repository that it is about, with its prefix; none for the registry itself. */
  repository?: string
  headers?: Record<string, string>
  body?: BodyInit
  /** Statuses besides 2xx that the caller wants to see. */
  allowed?: readonly number[]
  signal?: AbortSignal
}

/** Speaks with an OCI registry, logging in as it wants: Basic, or Bearer by Docker's token service. */
export interface RegistryClient {
  /** What stands before every name, for example `team/`; empty or with a slash at its end. */
  readonly prefix: string
  /** `path` is one below `/v2/`, or a whole URL that the registry told. Throws `IngotError` 'store-unreachable' with what the registry said. */
  ask(method: string, path: string | URL, request?: RegistryRequest): Promise<Response>
}

interface Challenge {
  scheme: string
  parameters: Record<string, string>
}

/** The challenge of a `WWW-Authenticate` header (RFC 9110, 11.6.1), for example `Bearer realm="https://…",service="registry"`. */
export function parseChallenge(header: string): Challenge {
  const [, scheme = '', rest = ''] = /^\s*(\S+)\s*(.*)$/.exec(header) ?? []
  const parameters = Object.fromEntries([...rest.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)].map((match) => [match[1]!.toLowerCase(), match[2] ?? match[3]!]))
  return { scheme: scheme.toLowerCase(), parameters }
}

export function createRegistryClient({ url, credentials, dispatcher, signal }: RegistryAddress): RegistryClient {
  const base = new URL(url)
  const path = base.pathname.replaceAll(/^\/+|\/+$/g, '')
  const root = new URL('/v2/', base)
  const basic = credentials && `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`
  /** How each repository wants us to log in, once it has told. */
  const authorizations = new Map<string, string>()

  const failed = (what: string, cause?: unknown) => new IngotError('store-unreachable', `registry ${base.host}: ${what}`, { cause })
  const send = (to: URL, init: RequestInit): Promise<Response> =>
    fetch(to, {
      ...init,
      ...(dispatcher === undefined ? {} : { dispatcher }),
      ...(signal === undefined ? {} : { signal: AbortSignal.any([signal, ...(init.signal ? [init.signal] : [])]) }),
    }).catch((error: Error) => {
      if (init.signal?.aborted === true || signal?.aborted === true) throw error
      throw failed(`${init.method} ${to.pathname}: ${(error.cause as Error | undefined)?.message ?? error.message}`, error)
    })

  /** Returns the header to use from now on. */
  async function logIn(challenge: Challenge, repository: string | undefined): Promise<string> {
    if (challenge.scheme === 'basic') {
      if (basic === undefined) throw failed('wants a user name and a password, and images.registry in the configuration has none')
      return basic
    }
    const { realm, service } = challenge.parameters
    if (challenge.scheme !== 'bearer' || realm === undefined) throw failed(`wants to be logged into by ${challenge.scheme}; expected Basic, or Bearer with a realm`)
    const service_ = new URL(realm)
    if (service !== undefined) service_.searchParams.set('service', service)
    service_.searchParams.set('scope', repository === undefined ? 'registry:catalog:*' : `repository:${repository}:pull,push,delete`)
    const response = await send(service_, { method: 'GET', headers: basic === undefined ? {} : { authorization: basic } })
    const answer = (await response.json().catch(() => ({}))) as { token?: string; access_token?: string }
    const token = answer.token ?? answer.access_token
    if (!response.ok || token === undefined) throw failed(`the token service at ${realm} answered ${response.status} and no token`)
    return `Bearer ${token}`
  }

  async function ask(method: string, target: string | URL, { repository, headers = {}, body, allowed = [], signal }: RegistryRequest = {}): Promise<Response> {
    const to = new URL(target, root)
    // What the registry points to elsewhere, as to a cloud's store, is no business of our credentials.
    const isOurs = to.origin === root.origin
    const scope = repository ?? ''
    const init = (): RequestInit => {
      const authorization = isOurs ? authorizations.get(scope) : undefined
      return {
        method,
        headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
        ...(body === undefined ? {} : { body, duplex: 'half' }),
        ...(signal === undefined ? {} : { signal }),
      }
    }
    let response = await send(to, init())
    if (response.status === 401 && isOurs) {
      const challenge = parseChallenge(response.headers.get('www-authenticate') ?? '')
      await response.body?.cancel()
      authorizations.set(scope, await logIn(challenge, repository))
      // A stream is gone once it was sent; whoever sends one has asked for something without a body just before.
      if (body === undefined || body instanceof Uint8Array) response = await send(to, init())
    }
    if (response.ok || allowed.includes(response.status)) return response
    const text = await response.text().catch(() => '')
    throw failed(`${method} ${to.pathname} was refused with ${response.status}: ${reasonOf(text)}`)
  }

  return { prefix: path === '' ? '' : `${path}/`, ask }
}

/** What a registry says in its errors (OCI distribution-spec, "Error Codes"). */
function reasonOf(text: string): string {
  try {
    const { errors = [] } = JSON.parse(text) as { errors?: { code?: string; message?: string }[] }
    return errors.map(({ code, message }) => [code, message].filter((part) => part !== undefined && part !== '').join(': ')).join('; ') || 'it does not tell why'
  } catch {
    return text.trim().slice(0, 200) || 'it does not tell why'
  }
}
