import prettyBytes from 'pretty-bytes'
import prettyMs from 'pretty-ms'

/** How often people are told how far something is. */
const tellEveryMs = 2000

/** Tells now and then how far something is, how fast it goes and how long it still takes, for example `45 % of 1.2 GB, 210 MB/s, 3s left`. */
export function createRate(say: (line: string) => void, now: () => number = () => performance.now()): (doneBytes: number, totalBytes: number) => void {
  const begunAt = now()
  let toldAt = begunAt
  return (doneBytes, totalBytes) => {
    const at = now()
    if (at - toldAt < tellEveryMs || doneBytes === 0) return
    toldAt = at
    const bytesPerMs = doneBytes / (at - begunAt)
    const left = prettyMs(Math.ceil((totalBytes - doneBytes) / bytesPerMs / 1000) * 1000)
    say(`${Math.floor((doneBytes / totalBytes) * 100)} % of ${prettyBytes(totalBytes)}, ${prettyBytes(bytesPerMs * 1000)}/s, ${left} left`)
  }
}
