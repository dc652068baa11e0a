/** Lines of a job's log that the server does not have yet, in order, in bounded memory. */
export interface LogBuffer {
  push(line: string): void
  /** The oldest bytes, one request's worth; the same ones again until `arrived` is told of them. */
  next(): Uint8Array | undefined
  /** The server has the first `sizeBytes` of what `next` gave. */
  arrived(sizeBytes: number): void
}

/** One request's worth, well below what a server takes as a body. */
const batchBytes = 256 * 1024
const longestLine = 16 * 1024

/**
 * A log buffer of at most `limitBytes` (default 4 MiB) and one batch. When it is full the oldest lines make way, since the last ones tell why a job
 * failed, and a line in their place tells how much is missing.
 */
export function createLogBuffer({ limitBytes = 4 * 1024 * 1024 } = {}): LogBuffer {
  let lines: Buffer[] = []
  let sizeBytes = 0
  let dropped = { lines: 0, bytes: 0 }
  /** Once it was given out it may have arrived, and stays as it is. */
  let batch: Buffer | undefined

  const takeOldest = (enough: () => boolean): Buffer[] => {
    let count = 0
    while (count < lines.length && !enough()) sizeBytes -= lines[count++]!.length
    return lines.splice(0, count)
  }

  return {
    push(text) {
      const line = Buffer.from(`${text.length > longestLine ? `${text.slice(0, longestLine)} …` : text}\n`)
      lines.push(line)
      sizeBytes += line.length
      if (sizeBytes <= limitBytes) return
      // An eighth at a time: moving all the others for each line would cost more than the line.
      const gone = takeOldest(() => sizeBytes <= (limitBytes * 7) / 8)
      dropped = { lines: dropped.lines + gone.length, bytes: dropped.bytes + gone.reduce((sum, each) => sum + each.length, 0) }
    },
    next() {
      if (batch !== undefined) return batch
      const notice = dropped.lines === 0 ? [] : [Buffer.from(`[${dropped.lines} lines (${dropped.bytes} bytes) were dropped here while the first computer was away]\n`)]
      dropped = { lines: 0, bytes: 0 }
      const startBytes = sizeBytes
      const taken = [...notice, ...takeOldest(() => startBytes - sizeBytes >= batchBytes)]
      if (taken.length > 0) batch = Buffer.concat(taken)
      return batch
    },
    arrived(arrivedBytes) {
      batch = batch === undefined || arrivedBytes >= batch.length ? undefined : batch.subarray(arrivedBytes)
    },
  }
}
