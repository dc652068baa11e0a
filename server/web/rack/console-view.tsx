import { useEffect, useState } from 'preact/hooks'
import { LogBox } from '../parts/log-box.tsx'
import { ask } from '../state/ask.ts'

const pollMs = 2000

/** The end of what a machine said, its kernel and its worker, with a job and without one; anew every 2 s. */
export function ConsoleView({ machine }: { machine: string }) {
  const [text, setText] = useState<string | undefined>(undefined)
  useEffect(() => {
    const stop = new AbortController()
    const read = async (): Promise<void> => {
      // A server that is away is told of elsewhere; what is shown stays.
      await ask(`/machines/${encodeURIComponent(machine)}/console`, { signal: stop.signal }).then(async (answer) => setText(await answer.text())).catch(() => {})
    }
    const repeat = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        await read()
        await new Promise((resolve) => setTimeout(resolve, pollMs))
      }
    }
    void repeat()
    return () => stop.abort()
  }, [machine])
  if (text === undefined) return null
  if (text === '') return <p class="muted">It has said nothing yet: that begins once its worker has asked for a job.</p>
  return <LogBox text={text} label={`Console of ${machine}`} />
}
