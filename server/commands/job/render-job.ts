import prettyMs from 'pretty-ms'
import type { EndedAttempt, JobDetails } from '../../api/history.ts'
import { withJobDefaults } from '../../api/job.ts'
import type { Failure, Status } from '../../api/status.ts'
import { oneLine, renderTable } from '../render-table.ts'
import { renderProgress } from './render-progress.ts'
import { renderRequirements } from './requirement-arguments.ts'

const span = (ms: number): string => prettyMs(Math.max(0, ms), { secondsDecimalDigits: 0, unitCount: 2, hideSeconds: ms >= 3_600_000 })

/** All that is known of a job, for people: first what it is, then who may take it, who tried, and why it failed. */
export function renderJob({ job, end, status, attempts, machines }: JobDetails, { nowMs, width }: { nowMs: number; width: number | undefined }): string[] {
  const { priority, timeLimitSeconds, silenceLimitSeconds, whenLost, maxAttempts } = withJobDefaults(job)
  const listed = 'state' in job ? job : undefined
  const made = [job.madeBy, job.createdAt].filter((each) => each !== undefined).join(', ')
  const facts: [string, string][] = [
    ['recipe', job.recipe ?? ''],
    ...deployFacts(job),
    ['priority', String(priority)],
    ['made', made],
    ['limits', `${span(timeLimitSeconds * 1000)} from claim to image, ${span(silenceLimitSeconds * 1000)} without a sign of life`],
    ['when lost', whenLost === 'remove' ? 'leaves the list' : `may be taken again, up to ${maxAttempts} attempts`],
    ['requires', job.requires === undefined ? '' : renderRequirements(job.requires)],
    ['assigned to', job.assignedTo ?? ''],
    ['not before', listed?.notBefore ?? ''],
    ['blocked', listed?.blocked ?? ''],
    ['origin', listed?.origin ?? ''],
    ...(status === undefined ? [] : statusFacts(status, job, nowMs)),
  ]
  const told = facts.filter(([, text]) => text !== '').map(([name, text]) => `  ${name.padEnd(12)} ${oneLine(text)}`)
  return [
    `${job.id}: ${end ?? listed?.state ?? ''}`,
    ...told,
    ...(machines.length === 0 ? [] : ['who may take it', ...machines.map(renderMachine)]),
    ...(attempts.length === 0 ? [] : ['attempts that were lost', ...renderAttempts(attempts, width)]),
    ...(status?.failure === undefined ? [] : renderFailure(status.failure)),
  ]
}

function deployFacts({ deploy }: JobDetails['job']): [string, string][] {
  if (deploy === undefined) return []
  const { image, version, hostname, users = [], sshKeys = [], network, disk } = deploy
  return [
    ['deploys', `${image}:${version ?? 'latest'}`],
    ['as', hostname ?? ''],
    ['users', users.map(({ name }) => name).join(', ')],
    ['SSH keys', sshKeys.length === 0 ? '' : String(sshKeys.length)],
    ['network', network === undefined ? '' : [network.addresses].flat().join(', ')],
    ['disk', disk === undefined ? '' : Object.entries(disk).map(([key, value]) => `${key}=${value}`).join(' ')],
  ]
}

const renderMachine = ({ machine, problems }: JobDetails['machines'][number]): string => `  ${machine}  ${problems.length === 0 ? 'may' : problems.join('; ')}`

function statusFacts(status: Status, { deploy }: JobDetails['job'], nowMs: number): [string, string][] {
  const { state, attempt, worker, server, claimedAt, heartbeatAt, deadlineAt, progress, imageDigest, imageVersion } = status
  const isHeld = state === 'claimed' || state === 'running'
  return [
    ['worker', `${worker}, attempt ${attempt}, since ${claimedAt}${server === '' ? '' : `, by way of ${server}`}`],
    ['alive', isHeld ? `${span(nowMs - Date.parse(heartbeatAt))} ago; its time is over at ${deadlineAt}` : ''],
    ['progress', progress === undefined ? '' : renderProgress(progress)],
    ['image', imageDigest === undefined || !['proving', 'performed'].includes(state) ? '' : deploy === undefined ? `${imageVersion}, ${imageDigest}` : imageDigest],
  ]
}

const renderAttempts = (attempts: readonly EndedAttempt[], width: number | undefined): string[] =>
  renderTable(
    ['  ATTEMPT', 'WORKER', 'FROM', 'FOR', 'LOST', ''],
    attempts.map(({ attempt, worker, claimedAt, endedAt, loss, failure }) => [
      `  ${attempt}`,
      worker,
      claimedAt,
      span(Date.parse(endedAt) - Date.parse(claimedAt)),
      loss,
      failure === undefined ? '' : `${failure.step}: ${failure.message}`,
    ]),
    width,
  )

const renderFailure = ({ step, message, command, exitCode, lastLines }: Failure): string[] => [
  `failed in ${step}: ${oneLine(message)}`,
  ...(command === undefined ? [] : [`  command      ${oneLine(command)}`]),
  ...(exitCode === undefined ? [] : [`  exit code    ${exitCode}`]),
  ...lastLines.map((line) => `  | ${oneLine(line)}`),
]
