import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ComponentRef } from '../../images/component.ts'
import { describeError, OutageError } from './answer-errors.ts'
import { backoffMs } from './backoff.ts'
import type { Ask } from './connect-server.ts'
import type { HttpResponse } from './http-fetch.ts'
import { awayBackoff, type KeepTryingOptions } from './keep-trying.ts'

/** A connection on which no byte came for this long is given up and made anew. */
const quietLimitMs = 60_000

export interface DownloadOptions extends KeepTryingOptions {
  ask: Ask
  headers: Record<string, string>
}

/**
 * The bytes of a component, checked against size and digest as they flow. A connection that breaks off is made anew from the first byte that is missing
 * (RFC 9110, 14.2), for as long as `signal` allows: nothing is started from zero (F9). Throws `RefusedError` when the server says no, and an `Error`
 * when the bytes are not those of the reference.
 */
export async function* downloadComponent(ref: ComponentRef, options: DownloadOptions): AsyncGenerator<Uint8Array> {
  const { signal, onOutage } = options
  const hash = createHash('sha256')
  let doneBytes = 0
  let failures = 0
  while (doneBytes < ref.sizeBytes) {
    try {
      for await (const piece of request(ref, doneBytes, options)) {
        hash.update(piece)
        doneBytes += piece.byteLength
        failures = 0
        yield piece
      }
      if (doneBytes < ref.sizeBytes) throw new OutageError(`component ${ref.name}: the connection ended after ${doneBytes} of ${ref.sizeBytes} bytes`)
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof OutageError)) throw error
      const againInMs = backoffMs(++failures, awayBackoff)
      onOutage?.(error, Math.round(againInMs))
      await sleep(againInMs, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
  const digest = `sha256:${hash.digest('hex')}`
  if (doneBytes !== ref.sizeBytes) throw new Error(`component ${ref.name}: expected ${ref.sizeBytes} bytes, got ${doneBytes}`)
  if (digest !== ref.digest) throw new Error(`component ${ref.name}: expected ${ref.digest}, got ${digest}`)
}

/** One answer from `startBytes` on. Throws `OutageError` when it breaks off or falls silent. */
async function* request(ref: ComponentRef, startBytes: number, { ask, headers, signal }: DownloadOptions): AsyncGenerator<Uint8Array> {
  const quiet = new AbortController()
  let timer = setTimeout(() => quiet.abort(), quietLimitMs)
  const range: Record<string, string> = startBytes === 0 ? {} : { range: `bytes=${startBytes}-` }
  const init = { headers: { ...headers, ...range }, signal: AbortSignal.any([signal, quiet.signal]), limitMs: Infinity }
  try {
    const response = await ask(`/components/${ref.digest}`, init, async (answer) => answer)
    // 200 in place of 206: a server that knows no ranges sends all of it.
    let unwantedBytes = response.status === 206 ? 0 : startBytes
    for await (const piece of received(response, ref)) {
      clearTimeout(timer)
      const wanted = piece.subarray(unwantedBytes)
      unwantedBytes -= piece.byteLength - wanted.byteLength
      if (wanted.byteLength > 0) yield wanted
      // Only the wait for the server counts, not that for whoever takes the bytes.
      timer = setTimeout(() => quiet.abort(), quietLimitMs)
    }
  } catch (error) {
    if (quiet.signal.aborted) throw new OutageError(`component ${ref.name}: no byte came for ${quietLimitMs / 1000} s`)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

async function* received({ body }: HttpResponse, { name }: ComponentRef): AsyncGenerator<Uint8Array> {
  try {
    yield* body ?? []
  } catch (error) {
    throw new OutageError(`component ${name}: the connection broke off: ${describeError(error)}`, { cause: error })
  }
}
