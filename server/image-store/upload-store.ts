import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { storageRefusal } from '../durable-file.ts'
import { IngotError } from '../errors.ts'

/** Uploads that no byte reached for this long were left behind. */
export const uploadLifeMs = 24 * 60 * 60 * 1000

/** A blob that comes in one piece and that no byte reached for this long was left behind by a crash: nobody can go on with it. */
const partLifeMs = 10 * 60 * 1000

/** A piece of an upload that does not begin where the piece before it ended. */
export class UploadOffsetError extends Error {
  override readonly name = 'UploadOffsetError'
  readonly sizeBytes: number

  constructor(offset: number, sizeBytes: number) {
    super(`expected a piece that begins at byte ${sizeBytes}, got one that begins at ${offset}`)
    this.sizeBytes = sizeBytes
  }
}

/** The sender of an upload has come back with another request, which goes on where this one was. */
export class UploadResumedError extends Error {
  override readonly name = 'UploadResumedError'
}

export interface Piece {
  content: AsyncIterable<Uint8Array>
  /** Where it begins; default at the end of what is there. */
  offset?: number
  /** Largest size of the whole upload, in bytes. */
  maxBytes: number
}

/** Blobs that come in several pieces. Each is a file, so that what has arrived outlives the server (F9). */
export interface UploadStore {
  /** The id of a new, empty upload. */
  begin(): Promise<string>
  /** How many bytes are here, or `undefined` when there is no such upload. */
  size(id: string): Promise<number | undefined>
  /**
   * Adds a piece, and returns how many bytes are here then; `undefined` when there is no such upload. What arrived before a stream broke off stays. A
   * transfer that is still under way for the same upload is given up: its sender has come back. Throws `UploadOffsetError`, and `IngotError`
   * 'blob-too-large' or 'storage-full', of which nothing stays.
   */
  append(id: string, piece: Piece): Promise<number | undefined>
  /** Lets `take` have the file, and ends the upload once that is done. `undefined` when there is no such upload. */
  finish<Result>(id: string, take: (path: string) => Promise<Result>): Promise<Result | undefined>
  /** Whether there was such an upload. */
  cancel(id: string): Promise<boolean>
  /** Drops uploads that nobody has touched for a day and what a crash left half written, and tells how many those were. */
  dropAbandoned(): Promise<number>
}

/** Opens the uploads of a folder, which is made as needed. `now` is the clock in milliseconds since 1970. */
export async function openUploads(folder: string, now: () => number = Date.now): Promise<UploadStore> {
  await mkdir(folder, { recursive: true })
  /** The last act on each upload and how to give it up; the next one waits for it. */
  const acts = new Map<string, { stop: AbortController; done: Promise<unknown> }>()
  const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
  const path = (id: string) => join(folder, id)

  const size = async (id: string): Promise<number | undefined> => {
    if (!idPattern.test(id)) return undefined
    try {
      return (await stat(path(id))).size
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  async function alone<Result>(id: string, act: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const before = acts.get(id)
    const stop = new AbortController()
    const done = (async () => {
      before?.stop.abort()
      await before?.done.catch(() => {})
      return act(stop.signal)
    })()
    const entry = { stop, done }
    acts.set(id, entry)
    try {
      return await done
    } finally {
      if (acts.get(id) === entry) acts.delete(id)
    }
  }

  async function write(id: string, { content, offset, maxBytes }: Piece, signal: AbortSignal): Promise<number | undefined> {
    const begun = await size(id)
    if (begun === undefined) return undefined
    if (offset !== undefined && offset !== begun) throw new UploadOffsetError(offset, begun)
    const file = await open(path(id), 'r+')
    try {
      let end = begun
      for await (const bytes of untilAborted(content, signal)) {
        if (end + bytes.length > maxBytes) throw new IngotError('blob-too-large', `blob: expected at most ${maxBytes} bytes, got more`)
        for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at, end + at)).bytesWritten
        end += bytes.length
      }
      return end
    } catch (error) {
      const refusal = storageRefusal(error, path(id))
      // Nobody can go on with these bytes, and others need their room.
      if (refusal instanceof IngotError) await file.truncate(begun)
      throw refusal
    } finally {
      await file.close()
    }
  }

  return {
    size,
    async begin() {
      const id = randomUUID()
      await (await open(path(id), 'wx')).close()
      return id
    },
    append: (id, piece) => alone(id, (signal) => write(id, piece, signal)),
    finish: (id, take) =>
      alone(id, async () => {
        if ((await size(id)) === undefined) return undefined
        const result = await take(path(id))
        await rm(path(id), { force: true })
        return result
      }),
    cancel: (id) =>
      alone(id, async () => {
        if ((await size(id)) === undefined) return false
        await rm(path(id))
        return true
      }),
    async dropAbandoned() {
      let dropped = 0
      for (const name of await readdir(folder)) {
        const found = await stat(path(name)).catch(() => undefined)
        if (found === undefined || now() - found.mtimeMs <= (name.endsWith('.part') ? partLifeMs : uploadLifeMs)) continue
        await rm(path(name), { force: true })
        dropped++
      }
      return dropped
    },
  }
}

/** A stream until its end or until it is given up, also while it waits for a sender that says nothing. */
async function* untilAborted(content: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const aborted = Promise.withResolvers<never>()
  aborted.promise.catch(() => {})
  const onAbort = () => aborted.reject(new UploadResumedError('the upload goes on in another request'))
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  const iterator = content[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted.promise])
      if (next.done === true) return
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // Not awaited: it comes after the piece that is being waited for, which may never come.
    void iterator.return?.()
  }
}
