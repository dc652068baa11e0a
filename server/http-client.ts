import { Agent, fetch, type RequestInit, type Response } from 'undici'
import { IngotError } from './errors.ts'

/** A new job is answered when its root filesystem is built, which takes minutes: longer than a client waits by itself. */
const patient = new Agent({ headersTimeout: 0, bodyTimeout: 0 })

/** A first computer as the commands reach it. */
export interface ServerAddress {
  /** For example `http://10.77.0.1:8080`. */
  url: string
  /** A credential made by `ingot token create`. */
  token: string
}

/** Asks a first computer; throws `IngotError` with what it said when it refuses, unless with a status of `allowed`, or cannot be reached. */
export async function askServer({ url, token }: ServerAddress, path: string, init: RequestInit = {}, { allowed = [] }: { allowed?: readonly number[] } = {}): Promise<Response> {
  const response = await fetch(`${url.replace(/\/$/, '')}${path}`, {
    dispatcher: patient,
    ...init,
    headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string> | undefined) },
  }).catch((error: Error) => {
    throw new IngotError('server-unreachable', `${url} cannot be reached: ${(error.cause as Error | undefined)?.message ?? error.message}`)
  })
  if (response.ok || allowed.includes(response.status)) return response
  // The registry refuses in the words of its own specification.
  const { title, problems = [], errors = [] } = (await response.json().catch(() => ({}))) as { title?: string; problems?: string[]; errors?: { message?: string }[] }
  throw new IngotError('server-refused', `${url} refused: ${title ?? errors[0]?.message ?? response.status}`, { problems })
}
