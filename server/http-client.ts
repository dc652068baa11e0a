import { Agent, fetch, type RequestInit, type Response } from 'undici'
import { IngotError } from './errors.ts'
import { createConnector } from './tls/connector.ts'

/** A first computer as the commands reach it. */
export interface ServerAddress extends Trust {
  /** For example `https://10.77.0.1:8443`. */
  url: string
  /** A credential made by `ingot token create`. */
  token: string
  /** Aborted, nothing is waited for any more. */
  signal?: AbortSignal
}

/** By what a server of HTTPS is known to be the one. */
export interface Trust {
  /** Of its own key or its authority's; no authority that Node knows is trusted then. */
  fingerprint?: string
  /** An authority in PEM that is trusted beside those that Node knows. */
  authority?: string
}

const agents = new Map<string, Agent>()

/** What reaches servers that are trusted so. A new job is answered when its root filesystem is built, which takes minutes: it waits longer than a client does by itself. */
export function agentFor({ fingerprint, authority }: Trust): Agent {
  const key = `${fingerprint} ${authority}`
  let agent = agents.get(key)
  if (agent === undefined) {
    const connect = createConnector({ ...(fingerprint === undefined ? {} : { fingerprintOf: () => fingerprint }), ...(authority === undefined ? {} : { authorities: [authority] }) })
    agents.set(key, (agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect })))
  }
  return agent
}

/** What OpenSSL says of a chain that leads to no authority that it knows (verify(1)). */
const unknownAuthority: ReadonlySet<string> = new Set(['SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_GET_ISSUER_CERT'])

/** Asks a first computer; throws `IngotError` with what it said when it refuses, unless with a status of `allowed`, or cannot be reached, and the reason of its `signal`. */
export async function askServer({ url, token, signal, ...trust }: ServerAddress, path: string, init: RequestInit = {}, { allowed = [] }: { allowed?: readonly number[] } = {}): Promise<Response> {
  const response = await fetch(`${url.replace(/\/$/, '')}${path}`, {
    dispatcher: agentFor(trust),
    ...(signal === undefined ? {} : { signal }),
    ...init,
    headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string> | undefined) },
  }).catch((error: Error) => {
    signal?.throwIfAborted()
    const cause = error.cause as NodeJS.ErrnoException | undefined
    if (unknownAuthority.has(cause?.code ?? '')) {
      throw new IngotError('server-unreachable', `${url} shows a certificate of an authority that is not known here; expected its fingerprint in --server-fingerprint or INGOT_FINGERPRINT, got none; \`ingot tls show\` tells it on that host`)
    }
    throw new IngotError('server-unreachable', `${url} cannot be reached: ${cause?.message ?? error.message}`)
  })
  if (response.ok || allowed.includes(response.status)) return response
  // The registry refuses in the words of its own specification.
  const { title, problems = [], errors = [] } = (await response.json().catch(() => ({}))) as { title?: string; problems?: string[]; errors?: { message?: string }[] }
  throw new IngotError('server-refused', `${url} refused: ${title ?? errors[0]?.message ?? response.status}`, { problems })
}
