import { useEffect, useState } from 'preact/hooks'
import { ask, Refusal } from '../state/ask.ts'
import { LogBox } from './log-box.tsx'

/** How often the log of a job that goes on is asked for what came since, in milliseconds. */
const pollMs = 2000
/** So many characters of it are shown: the end. */
const mostShown = 200_000

/** What the workers of a job said, from the server that keeps it; as long as it is `live`, what comes is added, and followed by who is at its end. */
export function LogView({ job, live }: { job: string; live: boolean }) {
  const [text, setText] = useState<string | undefined>(undefined)
  const [isMissing, setMissing] = useState(false)

  useEffect(() => {
    const stop = new AbortController()
    let offset = 0
    let shown = ''
    const read = async (): Promise<void> => {
      const answer = await ask(`/logs/${encodeURIComponent(job)}.log?offset=${offset}`, { signal: stop.signal })
      const more = new Uint8Array(await answer.arrayBuffer())
      offset += more.byteLength
      if (more.byteLength > 0 || shown === '') setText((shown = (shown + new TextDecoder().decode(more)).slice(-mostShown)))
      setMissing(false)
    }
    const repeat = async (): Promise<void> => {
      for (;;) {
        await read().catch((error: unknown) => {
          if (error instanceof Refusal && error.status === 404) setMissing(true)
          // It was begun anew.
          if (error instanceof Refusal && error.status === 416) [offset, shown] = [0, '']
        })
        if (!live || stop.signal.aborted) return
        await new Promise((resolve) => setTimeout(resolve, pollMs))
        if (stop.signal.aborted) return
      }
    }
    void repeat()
    return () => stop.abort()
  }, [job, live])

  if (isMissing && text === undefined) return <p class="muted">{live ? 'Nothing was said yet.' : 'No log was kept.'}</p>
  return <LogBox text={text ?? ''} label={`Log of ${job}`} />
}
