import { useEffect, useState } from 'preact/hooks'
import { askJson } from '../state/ask.ts'
import { messageOf } from '../state/notices.ts'
import { machines } from '../state/overview-store.ts'

/** What a job would do to the disks of a machine, told by the server, which foretells it by the rule that the worker acts by (F1). */
export function ErasurePlan({ machine, of: work }: { machine: string; of: { recipe: string } | { image: string; version: string } }) {
  const [plan, setPlan] = useState<{ verdict: string; summary: string } | undefined>(undefined)
  const isKnown = machines.of(machine).value?.hardware !== undefined
  const query = new URLSearchParams(work).toString()
  useEffect(() => {
    setPlan(undefined)
    if (!isKnown) return undefined
    const stop = new AbortController()
    askJson<{ verdict: string; summary: string }>(`/machines/${encodeURIComponent(machine)}/plan?${query}`, { signal: stop.signal })
      .then(setPlan)
      .catch((error: unknown) => stop.signal.aborted || setPlan({ verdict: 'refused', summary: messageOf(error) }))
    return () => stop.abort()
  }, [machine, query, isKnown])
  return (
    <p class={`erasure ${plan?.verdict ?? ''}`} aria-live="polite">
      {plan === undefined ? null : (
        <>
          On {machine} it <b>{plan.summary}</b>
        </>
      )}
    </p>
  )
}
