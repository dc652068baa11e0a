import type { FileHandle } from 'node:fs/promises'

/** Writes all of `bytes` at a position; `write` may take less than it is given. */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten
}

/** Fills `bytes` from a position. Throws when the end comes before. */
export async function readFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, position + done)
    if (bytesRead === 0) throw new Error(`expected data up to byte ${position + bytes.length}, got the end at ${position + done}`)
    done += bytesRead
  }
}

const zeros = Buffer.alloc(64 * 1024)

/**
 * The runs of `bytes` that hold something, so that a target that is zero already is written to no more than needed. A hole is a block or more, aligned;
 * `blockBytes` is 64 KiB, and at most that.
 */
export function* filledRuns(bytes: Uint8Array, blockBytes = zeros.length): Generator<{ start: number; end: number }> {
  const isZero = (start: number) => {
    const block = bytes.subarray(start, start + blockBytes)
    return zeros.subarray(0, block.length).equals(block)
  }
  for (let start = 0; start < bytes.length; ) {
    let end = start
    while (end < bytes.length && !isZero(end)) end += blockBytes
    if (end > start) yield { start, end: Math.min(end, bytes.length) }
    start = end + blockBytes
  }
}
