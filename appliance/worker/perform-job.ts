import type { Logger } from 'pino'
import type { Inventory } from '../../server/api/machine.ts'
import type { Failure } from '../../server/api/status.ts'
import { claimVariable, endPrograms } from '../end-programs.ts'
import { CommandError, run as runProgram, type Run } from '../run.ts'
import type { StepContext } from '../steps/context.ts'
import { performStep } from '../steps/executors.ts'
import { RefusedError } from './answer-errors.ts'
import { connectJob, type ClaimedJob } from './connect-job.ts'
import type { HeldJob } from './held-job.ts'
import { keepTrying } from './keep-trying.ts'
import { mountTools, toolsDirectory } from './mount-tools.ts'
import { releaseTarget, targetDirectory } from './release-target.ts'
import { startReporter, type Reporter } from './reporter.ts'

export interface PerformOptions {
  held: HeldJob
  takeInventory: () => Promise<Inventory>
  /** Folder in memory for what the job downloads, for example `/run/ingot`. */
  stateDirectory: string
  /** Where the installed system and the tools are mounted; default `/target` and `/tools`. */
  directories?: { target: string; tools: string }
  log: Logger
}

/** `lost`: the claim ended before the job did, and nothing of it goes on. */
export type Outcome = { state: 'performed' } | { state: 'failed'; failure: Failure } | { state: 'lost'; reason: string }

const describeFailure = (step: string, error: unknown): Failure => {
  const failure = { step, message: error instanceof Error ? error.message : String(error), lastLines: [] }
  if (!(error instanceof CommandError)) return failure
  return { ...failure, command: error.command, lastLines: error.lastLines, ...(error.exitCode === undefined ? {} : { exitCode: error.exitCode }) }
}

/**
 * Performs the script of a job step by step (B21), telling the first computer how far it is. When that refuses the claim or the time limit of the job is
 * over, every program of the job is ended at once and the disk left alone (F5).
 */
export async function performJob(options: PerformOptions): Promise<Outcome> {
  const { held, log, directories = { target: targetDirectory, tools: toolsDirectory } } = options
  const stop = new AbortController()
  const { signal } = stop
  const job = connectJob(held.server, { ...held, log })
  const programs = { claimHash: held.claimHash, directory: directories.target }

  let publishing = false
  const reporter = startReporter({
    server: job,
    log,
    signal,
    // While the image is published the answer to that tells how it ended: once the server has it, this claim has ended well.
    onRefused: (reason) => !publishing && stop.abort(reason),
  })
  signal.addEventListener('abort', () => {
    // Now, and not when the step has noticed: that may wait for a program that waits for its own.
    endPrograms(programs).catch((error: Error) => log.error({ reason: error.message }, 'a program of the job cannot be ended'))
  })
  const leftMs = Math.max(0, held.endsAt - performance.now())
  const limit = setTimeout(() => stop.abort(new Error('the time limit of the job is over')), Math.min(leftMs, longestTimerMs))
  const server: ClaimedJob = {
    ...job,
    async pushManifest(...args) {
      // Its claim ends with the manifest, and the log with its claim.
      await reporter.flush()
      publishing = true
      return job.pushManifest(...args)
    },
  }

  let outcome = await performSteps({ ...options, directories, server, reporter, signal })
  await releaseTarget({ ...programs, log })
  if (outcome.state === 'failed') outcome = await tellFailure(outcome.failure, { reporter, signal, log })
  reporter.stop()
  clearTimeout(limit)
  return outcome
}

/** Longest wait of a timer in Node, 24 days. */
const longestTimerMs = 2 ** 31 - 1

interface StepsOptions extends Required<PerformOptions> {
  server: ClaimedJob
  reporter: Reporter
  signal: AbortSignal
}

async function performSteps({ held, takeInventory, stateDirectory, directories, log, server, reporter, signal }: StepsOptions): Promise<Outcome> {
  let step = 'prepare'
  try {
    const inventory = await takeInventory()
    const [{ scratchSerials }, plan] = await Promise.all([
      keepTrying(() => held.server.sendInventory(inventory, signal), { signal }),
      server.plan(signal),
    ])
    const stepCount = plan.steps.length
    let stepIndex = 0
    const context: StepContext = {
      plan,
      job: server.job,
      inventory,
      scratchSerials,
      root: directories.target,
      disk: undefined,
      server,
      packagesUrl: `${server.url}/packages`,
      run: createRun({ reporter, signal, claimHash: held.claimHash }),
      log,
      progress: (progress) => reporter.progress({ stepIndex, stepCount, step, ...progress }),
      signal,
    }
    step = 'tools'
    await mountTools(context, { stateDirectory, directory: directories.tools })
    for (const each of plan.steps) {
      stepIndex = plan.steps.indexOf(each)
      step = each.kind
      context.progress({})
      reporter.line(`== step ${stepIndex + 1} of ${stepCount}: ${step}`)
      log.info({ step, number: stepIndex + 1, of: stepCount }, 'step')
      signal.throwIfAborted()
      await performStep(each, context)
    }
    return { state: 'performed' }
  } catch (error) {
    if (signal.aborted) return { state: 'lost', reason: (signal.reason as Error).message }
    return { state: 'failed', failure: describeFailure(step, error) }
  }
}

/** Runs programs with their output in the job's log, and ends with the job; what a step runs to clean up has a signal of its own. */
function createRun({ reporter, signal, claimHash }: { reporter: Reporter; signal: AbortSignal; claimHash: string }): Run {
  return (program, args, options = {}) => {
    const ends = options.signal === undefined || options.signal === signal
    if (ends) signal.throwIfAborted()
    reporter.line(`$ ${program} ${args.join(' ')}`)
    return runProgram(program, args, {
      signal,
      ...options,
      env: { ...options.env, ...(ends ? { [claimVariable]: claimHash } : {}) },
      onLine: (line) => {
        reporter.line(line)
        options.onLine?.(line)
      },
    })
  }
}

/** The server hears of a failure when it is there; it may also have ended the claim in the meantime. */
async function tellFailure(failure: Failure, { reporter, signal, log }: { reporter: Reporter; signal: AbortSignal; log: Logger }): Promise<Outcome> {
  reporter.line(`failed: ${failure.message}`)
  try {
    await reporter.finish({ state: 'failed', failure })
    return { state: 'failed', failure }
  } catch (error) {
    if (!signal.aborted && !(error instanceof RefusedError)) throw error
    log.warn({ failure, reason: (error as Error).message }, 'the first computer did not take the failure of the job')
    return { state: 'lost', reason: (error as Error).message }
  }
}
