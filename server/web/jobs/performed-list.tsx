import { useEffect, useState } from 'preact/hooks'
import type { EndedJob } from '../../api/history.ts'
import { describeWork } from '../../api/describe-work.ts'
import { EmptyState } from '../parts/empty-state.tsx'
import { askJson } from '../state/ask.ts'
import { messageOf } from '../state/notices.ts'
import { hrefOf } from '../state/route.ts'
import { dateTime, duration } from '../text.ts'

/** So many of the last are shown; all are to be had in the shell. */
const mostShown = 500

/** Jobs that are done (B10), the latest first. */
export function PerformedList() {
  const [ended, setEnded] = useState<EndedJob[] | string | undefined>(undefined)
  useEffect(() => {
    const stop = new AbortController()
    askJson<{ jobs: EndedJob[] }>(`/performed.json?order=newest&limit=${mostShown}`, { signal: stop.signal })
      .then(({ jobs }) => setEnded(jobs))
      .catch((error: unknown) => stop.signal.aborted || setEnded(messageOf(error)))
    return () => stop.abort()
  }, [])
  if (ended === undefined) return <p class="muted pad">Asking…</p>
  if (typeof ended === 'string') return <p class="problem pad">{ended}</p>
  if (ended.length === 0) {
    return (
      <EmptyState title="No job was performed yet">
        <p>A job leaves the list and stands here once its image was received and proven.</p>
      </EmptyState>
    )
  }
  return (
    <div class="rows pad" tabIndex={0} role="region" aria-label="Performed jobs">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Job</th>
            <th scope="col">Work</th>
            <th scope="col">Machine</th>
            <th scope="col">Took</th>
            <th scope="col">Ended</th>
          </tr>
        </thead>
        <tbody>
          {ended.map(({ job, status, endedAt }) => (
            <tr key={`${job.id} ${endedAt}`}>
              <td class="mono">
                <a href={hrefOf('jobs', job.id)}>{job.id}</a>
              </td>
              <td>{describeWork(job)}</td>
              <td class="mono">{status?.worker}</td>
              <td class="number">{status === undefined ? '' : duration(Date.parse(endedAt) - Date.parse(status.claimedAt))}</td>
              <td class="number">{dateTime(endedAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
