import { Command, CommanderError } from 'commander'
import pino from 'pino'
import pretty from 'pino-pretty'
import { CommandError, run, start } from '../appliance/run.ts'
import { addAppliance } from './commands/appliance.ts'
import { addAudit } from './commands/audit.ts'
import { addDeploy } from './commands/deploy.ts'
import { addDoctor } from './commands/doctor.ts'
import { addImage } from './commands/image.ts'
import { addJob } from './commands/job.ts'
import { addMachine } from './commands/machine.ts'
import { addMaster } from './commands/master.ts'
import { addServe } from './commands/serve.ts'
import { addToken } from './commands/token.ts'
import type { CommandContext } from './commands/context.ts'
import { addDemo } from './demo/command.ts'
import { errorCodes, IngotError } from './errors.ts'
import { version } from './version.ts'

/*
 * The only file of the first computer that reads arguments and environment, writes to the terminal and exits.
 * Exit codes: 0 done, 1 the thing asked for did not succeed, 2 wrong arguments or configuration, 70 a defect of ours, 130 stopped by Ctrl-C.
 */

const level = process.env.INGOT_LOG_LEVEL ?? 'info'
const destination = process.stderr.isTTY ? pretty({ destination: 2, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' }) : pino.destination(2)
const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(name))

const context: CommandContext = {
  run,
  start,
  log: pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination),
  print: (line) => void process.stdout.write(`${line}\n`),
  output: process.stdout,
  say: (line) => void process.stderr.write(`${line}\n`),
  signal: stop.signal,
  env: process.env,
  columns: process.stdout.isTTY ? process.stdout.columns : undefined,
  exit: (code) => {
    process.exitCode = code
  },
}

const program = new Command('ingot')
  .description('Turns bare machines into finished, bootable software images.')
  .version(version)
  .showHelpAfterError('(add --help for what is possible)')
  .exitOverride()
for (const add of [addServe, addMaster, addAppliance, addJob, addDeploy, addImage, addMachine, addToken, addAudit, addDoctor, addDemo]) add(program, context)

/** Whether something was given up because Ctrl-C or SIGTERM said so. */
const isStop = (error: unknown): boolean => error === stop.signal.reason || (error instanceof Error && error.name === 'AbortError')

/** The errors of a user are a message; only what is a defect of ours shows where it happened. */
function report(error: unknown): number {
  if (stop.signal.aborted && isStop(error)) return 130
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof IngotError) {
    context.say(`ingot: ${error.message}`)
    for (const problem of error.problems) context.say(`  ${problem}`)
    return errorCodes[error.code] === 'user' ? 2 : 1
  }
  if (error instanceof CommandError) {
    context.say(`ingot: ${error.message}`)
    return 1
  }
  context.say(`ingot: a defect, please report it: ${error instanceof Error ? error.stack : String(error)}`)
  return 70
}

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = report(error)
}
