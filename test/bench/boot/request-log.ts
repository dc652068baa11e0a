import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'

/** One HTTP request that reached this process. */
export interface ServedRequest {
  /** Milliseconds since 1970, when its header had come. */
  atMs: number
  method: string
  /** Path and query, for example `/boot/stage2.squashfs`. */
  url: string
}

/**
 * Every HTTP request that reaches this process from now on until `close`, whichever server it is for.
 * Source: Node's documentation of diagnostics_channel, "HTTP".
 */
export function openRequestLog(): { requests: readonly ServedRequest[]; close(): void } {
  const requests: ServedRequest[] = []
  const onRequest = (message: unknown): void => {
    const { method = '', url = '' } = (message as { request: IncomingMessage }).request
    requests.push({ atMs: Date.now(), method, url })
  }
  subscribe('http.server.request.start', onRequest)
  return { requests, close: () => void unsubscribe('http.server.request.start', onRequest) }
}
