import type { Logger } from 'pino'
import type { Disk, Inventory, MachineSystem } from '../../server/api/machine.ts'
import type { Failure } from '../../server/api/status.ts'
import { claimVariable, endPrograms } from '../end-programs.ts'
import { CommandError, run as runProgram, start, type Run } from '../run.ts'
import type { StepContext } from '../steps/context.ts'
import { resumeCapture } from '../resume/resume-capture.ts'
import { performStep } from '../steps/executors.ts'
import { startFromSnapshot } from '../steps/snapshot.ts'
import { RefusedError } from './answer-errors.ts'
import { connectJob, type ClaimedJob } from './connect-job.ts'
import type { ServerConnection } from './connect-server.ts'
import type { HeldJob } from './held-job.ts'
import { keepTrying } from './keep-trying.ts'
import { followKernelLog } from './kernel-log.ts'
import { mountTools, toolsDirectory } from './mount-tools.ts'
import { releaseTarget, targetDirectory } from './release-target.ts'
import { startReporter, type Reporter } from './reporter.ts'

export interface PerformOptions {
  held: HeldJob
  /** The server that this machine boots from, which hears of what was deployed. */
  bootServer: Pick<ServerConnection, 'settle' | 'release'>
  takeInventory: () => Promise<Inventory>
  /** The disks as they are now; the inventory may be as old as the worker. */
  readDisks: () => Promise<Disk[]>
  /** Folder in memory for what the job downloads, for example `/run/ingot`. */
  stateDirectory: string
  /** Where the installed system and the tools are mounted; default `/target` and `/tools`. */
  directories?: { target: string; tools: string }
  /** Where the kernel tells what happens, for the log of the job, for example `/dev/kmsg`; default nowhere. */
  kernelLogPath?: string
  log: Logger
}

/** `deployed`: an image is this machine's system now, which it boots next. `lost`: the claim ended before the job did, and nothing of it goes on. */
export type Outcome = { state: 'performed'; deployed?: MachineSystem } | { state: 'failed'; failure: Failure } | { state: 'lost'; reason: string }

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
  const programs = { claimId: held.claimId, directory: directories.target }

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
  const ended = new AbortController()
  const { kernelLogPath: path } = options
  const kernelLog = path === undefined ? undefined : followKernelLog({ path, onLine: reporter.line, told: kernelLogTold, signal: AbortSignal.any([signal, ended.signal]) })
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

  const cleanUps: StepContext['cleanUps'] = []
  let outcome = await performSteps({ ...options, directories, server, reporter, cleanUps, signal })
  await releaseTarget({ ...programs, log })
  ended.abort()
  await kernelLog
  for (const cleanUp of cleanUps) await cleanUp().catch((error: Error) => log.error({ reason: error.message }, 'what the job left cannot be taken down'))
  if (outcome.state === 'failed') outcome = await tellFailure(outcome.failure, { reporter, signal, log })
  if (outcome.state === 'performed' && outcome.deployed !== undefined) {
    const { takeInventory, bootServer } = options
    outcome = await tellDeployed(outcome.deployed, { machine: (await takeInventory()).id, bootServer, reporter, signal, log })
  }
  reporter.stop()
  clearTimeout(limit)
  return outcome
}

/** A machine's next job goes on where the one before it ended. */
const kernelLogTold = { sequence: -1 }
/** Longest wait of a timer in Node, 24 days. */
const longestTimerMs = 2 ** 31 - 1

interface StepsOptions extends Required<Omit<PerformOptions, 'kernelLogPath'>> {
  server: ClaimedJob
  reporter: Reporter
  cleanUps: StepContext['cleanUps']
  signal: AbortSignal
}

async function performSteps({ held, takeInventory, readDisks, stateDirectory, directories, log, server, reporter, cleanUps, signal }: StepsOptions): Promise<Outcome> {
  let step = 'prepare'
  try {
    const inventory = await takeInventory()
    const [{ scratchSerials, packagesUrl = `${server.url}/packages` }, plan] = await Promise.all([
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
      readDisks,
      root: directories.target,
      disk: undefined,
      written: undefined,
      server,
      packagesUrl,
      run: createRun({ reporter, signal, claimId: held.claimId }),
      start: (program, args, options = {}) => start(program, args, { ...options, env: { ...options.env, [claimVariable]: held.claimId } }),
      cleanUps,
      log,
      progress: (progress) => reporter.progress({ stepIndex, stepCount, step, ...progress }),
      signal,
    }
    step = 'tools'
    await mountTools(context, { stateDirectory, directory: directories.tools })
    step = 'snapshot'
    const resumedSteps = await resumeCapture(context)
    if (resumedSteps > 0) reporter.line(`== steps 1 to ${resumedSteps} of ${stepCount}: on the disk, as an earlier attempt left it`)
    const keptSteps = resumedSteps > 0 ? 0 : await startFromSnapshot(context)
    if (keptSteps > 0) reporter.line(`== steps 1 to ${keptSteps} of ${stepCount}: taken from what an earlier job kept`)
    const doneSteps = resumedSteps + keptSteps
    for (const each of plan.steps.slice(doneSteps)) {
      stepIndex = plan.steps.indexOf(each)
      step = each.kind
      context.progress({})
      reporter.line(`== step ${stepIndex + 1} of ${stepCount}: ${step}`)
      log.info({ step, number: stepIndex + 1, of: stepCount }, 'step')
      signal.throwIfAborted()
      await performStep(each, context)
    }
    const written = plan.steps.find((each) => each.kind === 'write-image')
    if (written === undefined) return { state: 'performed' }
    const { image, version, digest } = written
    return { state: 'performed', deployed: { job: server.job, image, version, digest, deployedAt: new Date().toISOString() } }
  } catch (error) {
    if (signal.aborted) return { state: 'lost', reason: (signal.reason as Error).message }
    return { state: 'failed', failure: describeFailure(step, error) }
  }
}

/** Runs programs with their output in the job's log, and ends with the job; what a step runs to clean up has a signal of its own. */
function createRun({ reporter, signal, claimId }: { reporter: Reporter; signal: AbortSignal; claimId: string }): Run {
  return (program, args, options = {}) => {
    const ends = options.signal === undefined || options.signal === signal
    if (ends) signal.throwIfAborted()
    reporter.line(`$ ${program} ${args.join(' ')}`)
    return runProgram(program, args, {
      signal,
      ...options,
      env: { ...options.env, ...(ends ? { [claimVariable]: claimId } : {}) },
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

interface TellDeployedOptions extends Pick<PerformOptions, 'bootServer' | 'log'> {
  machine: string
  reporter: Reporter
  signal: AbortSignal
}

/**
 * The boot server hears first that this machine boots its disk from now on: a machine that loses its power before the job is performed does not come back as
 * a worker that waits. When the claim turns out to have ended, another machine may be given the same name: then this one stays a worker (F5).
 */
async function tellDeployed(deployed: MachineSystem, { machine, bootServer, reporter, signal, log }: TellDeployedOptions): Promise<Outcome> {
  const onOutage = (error: Error) => log.warn({ reason: error.message }, 'the boot server is away; the machine waits for it')
  try {
    await keepTrying(() => bootServer.settle(machine, deployed, signal), { signal, onOutage })
    await reporter.finish({ state: 'performed' })
    return { state: 'performed', deployed }
  } catch (error) {
    if (!signal.aborted && !(error instanceof RefusedError)) throw error
    const reason = (error as Error).message
    log.warn({ reason }, 'the deployment does not count')
    await keepTrying(() => bootServer.release(machine, AbortSignal.timeout(releaseLimitMs)), { signal: AbortSignal.timeout(releaseLimitMs) }).catch((failure: Error) => {
      log.error({ reason: failure.message }, 'the boot server still takes what is on the disk for the system of this machine')
    })
    return { state: 'lost', reason }
  }
}

/** A boot server that is away for longer keeps no worker from its next job. */
const releaseLimitMs = 60_000
