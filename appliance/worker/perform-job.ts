import { createWriteStream } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import type { Plan } from '../../images/plan.ts'
import type { Inventory } from '../../server/api/machine.ts'
import type { Failure } from '../../server/api/status.ts'
import { CommandError, run as runProgram, type Run } from '../run.ts'
import type { StepContext } from '../steps/context.ts'
import { performStep } from '../steps/executors.ts'
import type { ClaimedJob } from './http-job-server.ts'
import { startReporter } from './reporter.ts'

export interface PerformOptions {
  server: ClaimedJob
  plan: Plan
  inventory: Inventory
  scratchSerials: readonly string[]
  /** Folder in memory for what the job downloads, for example `/run/ingot`. */
  stateDirectory: string
  log: Logger
}

export type Outcome = { state: 'performed' } | { state: 'failed'; failure: Failure } | { state: 'lost'; reason: string }

const targetDirectory = '/target'
const toolsDirectory = '/tools'

const describeFailure = (step: string, error: unknown): Failure => {
  const failure = { step, message: error instanceof Error ? error.message : String(error), lastLines: [] }
  if (!(error instanceof CommandError)) return failure
  return { ...failure, command: error.command, lastLines: error.lastLines, ...(error.exitCode === undefined ? {} : { exitCode: error.exitCode }) }
}

/** Performs the script of a job step by step (B21), telling the first computer how far it is; never throws. */
export async function performJob({ server, plan, inventory, scratchSerials, stateDirectory, log }: PerformOptions): Promise<Outcome> {
  const lost = new AbortController()
  const reporter = startReporter({ server, worker: inventory.id, log, onLost: (reason) => lost.abort(reason), signal: lost.signal })
  const run: Run = (program, args, options) => {
    reporter.line(`$ ${program} ${args.join(' ')}`)
    return runProgram(program, args, {
      signal: lost.signal,
      ...options,
      onLine: (line) => {
        reporter.line(line)
        options?.onLine?.(line)
      },
    })
  }
  const stepCount = plan.steps.length
  let at = { stepIndex: 0, stepCount, step: 'tools' }
  const context: StepContext = {
    plan,
    job: server.job,
    inventory,
    scratchSerials,
    root: targetDirectory,
    disk: undefined,
    server,
    packagesUrl: `${server.url}/packages`,
    run,
    log,
    progress: (progress) => reporter.progress({ ...at, ...progress }),
    signal: lost.signal,
  }

  let outcome: Outcome
  try {
    await mountTools(context, stateDirectory)
    for (const [stepIndex, step] of plan.steps.entries()) {
      at = { stepIndex, stepCount, step: step.kind }
      context.progress({})
      reporter.line(`== step ${stepIndex + 1} of ${stepCount}: ${step.kind}`)
      log.info({ step: step.kind, number: stepIndex + 1, of: stepCount }, 'step')
      lost.signal.throwIfAborted()
      await performStep(step, context)
    }
    outcome = { state: 'performed' }
  } catch (error) {
    if (lost.signal.aborted) outcome = { state: 'lost', reason: (lost.signal.reason as Error).message }
    else outcome = { state: 'failed', failure: describeFailure(at.step, error) }
  }
  await releaseTarget(log)
  if (outcome.state === 'failed') {
    reporter.line(`failed: ${outcome.failure.message}`)
    await reporter.finish({ worker: inventory.id, server: server.url, state: 'failed', failure: outcome.failure }).catch((error: Error) => {
      log.error({ reason: error.message }, 'the first computer did not take the failure of the job')
    })
  } else await reporter.finish()
  return outcome
}

/** The programs that only a job needs come with the job (B20): a squashfs, mounted once. */
async function mountTools({ plan, server, run, progress, signal }: StepContext, stateDirectory: string): Promise<void> {
  if (await isMountPoint(toolsDirectory)) return
  progress({ totalBytes: plan.tools.sizeBytes, detail: 'fetching the tools' })
  const path = join(stateDirectory, 'tools.squashfs')
  await mkdir(stateDirectory, { recursive: true })
  await pipeline(await server.component(plan.tools, signal), createWriteStream(path), { signal })
  await mkdir(toolsDirectory, { recursive: true })
  await run('mount', ['-t', 'squashfs', '-o', 'loop,ro', path, toolsDirectory])
}

const mountPoints = async (): Promise<string[]> =>
  (await readFile('/proc/self/mounts', 'utf8')).split('\n').flatMap((line) => line.split(' ')[1] ?? [])
const isMountPoint = async (path: string): Promise<boolean> => (await mountPoints()).includes(path)

/** Takes down what a job that broke off left mounted, so that the next job finds the machine as the first did. */
async function releaseTarget(log: Logger): Promise<void> {
  const mounted = (await mountPoints()).filter((path) => path === targetDirectory || path.startsWith(`${targetDirectory}/`))
  for (const path of mounted.toReversed()) {
    await runProgram('umount', [path]).catch((error: Error) => log.error({ path, reason: error.message }, 'cannot unmount'))
  }
}
