import { constants } from 'node:os'
import { CommanderError } from 'commander'
import { createLogUpdate } from 'log-update'
import pino from 'pino'
import pretty from 'pino-pretty'
import { CommandError, run, start } from '../appliance/run.ts'
import type { CommandContext } from './commands/context.ts'
import { createProgram } from './commands/create-program.ts'
import { errorCodes, IngotError } from './errors.ts'

/*
 * The only file of the first computer that reads arguments and environment, writes to the terminal and exits.
 * Exit codes: 0 done, 1 the thing asked for did not succeed, 2 wrong arguments or configuration, 70 a defect of ours, 130 stopped by Ctrl-C, 141 nobody reads on.
 */

const level = process.env.INGOT_LOG_LEVEL ?? 'info'
const destination = process.stderr.isTTY ? pretty({ destination: 2, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' }) : pino.destination(2)
const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(name))

// Who reads only the beginning, like `head`, makes no defect of it: what is left has no reader. Whoever streams to it has a listener of its own.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (process.stdout.listenerCount('error') > 1) return
  if (error.code !== 'EPIPE') throw error
  process.exit(128 + constants.signals.SIGPIPE)
})

/** Progress, on a terminal only. */
const bar = process.stderr.isTTY ? createLogUpdate(process.stderr) : undefined

const context: CommandContext = {
  run,
  start,
  log: pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination),
  print: (line) => void process.stdout.write(`${line}\n`),
  output: process.stdout,
  say(line) {
    bar?.clear()
    process.stderr.write(`${line}\n`)
  },
  showBar: bar && ((line) => (line === undefined ? bar.clear() : bar(line))),
  signal: stop.signal,
  env: process.env,
  columns: process.stdout.isTTY ? process.stdout.columns : undefined,
  exit: (code) => {
    process.exitCode = code
  },
}

const program = createProgram(context)

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
