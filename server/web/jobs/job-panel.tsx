import { useEffect, useState } from 'preact/hooks'
import type { EndedAttempt, JobDetails } from '../../api/history.ts'
import type { JobRow } from '../../api/overview.ts'
import { describeWork } from '../../api/describe-work.ts'
import { Facts } from '../parts/facts.tsx'
import { LogView } from '../parts/log-view.tsx'
import { Panel } from '../parts/panel.tsx'
import { Progress } from '../parts/progress.tsx'
import { StateMark } from '../parts/state-mark.tsx'
import { Until } from '../parts/times.tsx'
import { FailureView } from '../rack/failure-view.tsx'
import { askJson } from '../state/ask.ts'
import { messageOf } from '../state/notices.ts'
import { jobs, machines } from '../state/overview-store.ts'
import { hrefOf } from '../state/route.ts'
import { mayChange } from '../state/session.ts'
import { JobTimeline } from '../timeline/job-timeline.tsx'
import { dateTime } from '../text.ts'
import { JobButtons } from './job-buttons.tsx'

/** All that is known of a job, on the list or not any more. */
export function JobPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const row = jobs.of(id).value
  const [details, problem] = useDetails(id, row)
  return (
    <Panel subject={id} kicker="Job" title={<span class="mono">{id}</span>} onClose={onClose}>
      {problem === undefined ? null : <p class="problem">{problem}</p>}
      {row !== undefined && mayChange.value ? <JobButtons job={row} /> : null}
      {details === undefined ? null : <Details details={details} row={row} />}
    </Panel>
  )
}

/** What the server knows of a job, asked anew when it comes into another state. */
function useDetails(id: string, row: JobRow | undefined): [JobDetails | undefined, string | undefined] {
  const [details, setDetails] = useState<JobDetails | undefined>(undefined)
  const [problem, setProblem] = useState<string | undefined>(undefined)
  useEffect(() => {
    const stop = new AbortController()
    askJson<JobDetails>(`/jobs/${encodeURIComponent(id)}.json`, { signal: stop.signal })
      .then((found) => {
        setDetails(found)
        setProblem(undefined)
      })
      .catch((error: unknown) => {
        if (!stop.signal.aborted) setProblem(messageOf(error))
      })
    return () => stop.abort()
  }, [id, row?.state, row?.attempt, row?.priority, row?.assignedTo])
  return [details, problem]
}

function Details({ details, row }: { details: JobDetails; row: JobRow | undefined }) {
  const { job, status, attempts, machines: candidates, end } = details
  const isUnderWay = row?.state === 'selected' || row?.state === 'proving'
  const worker = isUnderWay ? row.worker : status?.worker
  const rate = worker === undefined ? undefined : machines.of(worker).value?.bytesPerSecond
  const timelineOf = worker ?? attempts.at(-1)?.worker
  const failure = row === undefined || row.state === 'failed' ? status?.failure : undefined
  return (
    <>
      <section class="position">
        <p class="where">
          <StateMark state={row?.state ?? end ?? 'performed'} />
          <span>{row?.blocked}</span>
        </p>
        {failure === undefined ? null : <FailureView why={`${failure.step}: ${failure.message}`} failure={failure} />}
        {row?.progress === undefined ? null : <Progress of={row.progress} bytesPerSecond={row.state === 'selected' ? rate : undefined} />}
        <Facts
          of={[
            ['Work', describeWork(job)],
            ['Machine', worker === undefined ? undefined : <a class="mono" href={hrefOf('rack', worker)}>{worker}</a>],
            ['Assigned to', job.assignedTo === undefined ? undefined : <a class="mono" href={hrefOf('rack', job.assignedTo)}>{job.assignedTo}</a>],
            ['Priority', String(job.priority ?? 0)],
            ['Attempt', status === undefined ? undefined : `${status.attempt} of ${job.maxAttempts ?? 3}`],
            ['Time left', row?.deadlineAt === undefined ? undefined : <Until time={row.deadlineAt} over="over" />],
            ['Taken', status === undefined ? undefined : dateTime(status.claimedAt)],
            ['Last word', status === undefined ? undefined : dateTime(status.heartbeatAt)],
            ['Requires', job.requires === undefined ? undefined : renderRequirements(job.requires)],
            ['Made by', job.madeBy],
            ['Image', status?.imageDigest === undefined || job.deploy !== undefined ? undefined : <span class="mono">{status.imageVersion}</span>],
          ]}
        />
      </section>
      {candidates.length === 0 || isUnderWay ? null : <Candidates of={candidates} />}
      {attempts.length === 0 ? null : <Attempts of={attempts} />}
      {status === undefined && attempts.length === 0 ? null : (
        <>
          <section>
            <h3>Timeline</h3>
            {timelineOf === undefined ? null : <JobTimeline job={job.id} machine={timelineOf} isUnderWay={isUnderWay} version={`${row?.state} ${row?.progress?.stepIndex} ${status?.attempt}`} />}
          </section>
          <section>
            <h3>Log</h3>
            <LogView job={job.id} live={isUnderWay} />
          </section>
        </>
      )}
    </>
  )
}

function renderRequirements({ labels = {}, machines: ids, ...others }: NonNullable<JobDetails['job']['requires']>): string {
  return [...Object.entries(others), ...Object.entries(labels).map(([key, value]) => [`labels.${key}`, value]), ...(ids === undefined ? [] : [['machines', ids.join(' ')]])].map((each) => each.join('=')).join(', ')
}

const Candidates = ({ of: candidates }: { of: JobDetails['machines'] }) => (
  <section>
    <h3>Who may take it</h3>
    <ul class="lines">
      {candidates.slice(0, 20).map(({ machine, problems }) => (
        <li key={machine}>
          <a class="mono" href={hrefOf('rack', machine)}>
            {machine}
          </a>{' '}
          <span class="muted">{problems.length === 0 ? 'may take it' : problems.join(', ')}</span>
        </li>
      ))}
    </ul>
    {candidates.length > 20 ? <p class="muted">and {candidates.length - 20} more</p> : null}
  </section>
)

const Attempts = ({ of: attempts }: { of: readonly EndedAttempt[] }) => (
  <section>
    <h3>Attempts that came to nothing</h3>
    <ol class="lines">
      {attempts.map(({ attempt, worker, endedAt, loss, failure }) => (
        <li key={attempt}>
          <p>
            {attempt}. <a class="mono" href={hrefOf('rack', worker)}>{worker}</a> {loss}, {dateTime(endedAt)}
          </p>
          {failure === undefined ? null : <FailureView why={`${failure.step}: ${failure.message}`} failure={failure} />}
        </li>
      ))}
    </ol>
  </section>
)
