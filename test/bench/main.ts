import { Command, CommanderError } from 'commander'
import pino from 'pino'
import { run, start } from '../../appliance/run.ts'
import { errorCodes, IngotError } from '../../server/errors.ts'
import { addBoot } from './boot/command.ts'
import { addConsole } from './console/command.ts'
import type { BenchContext } from './context.ts'
import { addImage } from './image/command.ts'
import { addJobs } from './jobs/command.ts'
import { addNetboot } from './netboot/command.ts'

/*
 * `npm run bench -- NAME`: measures, and tells what it measured. A ratio that misses its goal is no failure.
 * Exit codes: 0 measured, 1 could not measure, 2 wrong arguments or a host that lacks something, 130 stopped by Ctrl-C.
 */

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(name))
const say = (line: string): void => void process.stderr.write(`${line}\n`)

const context: BenchContext = {
  run,
  start,
  say,
  log: pino({ level: 'warn', base: null }, pino.destination(2)),
  signal: stop.signal,
  exit: (code) => {
    process.exitCode = code
  },
}

const program = new Command('bench')
  .description('Measures what Ingot promises to be fast at.')
  .usage('NAME [options]')
  .showHelpAfterError('(add --help for what is possible)')
  .exitOverride()
  .argument('[name]', 'which benchmark')
  .action((name: string | undefined) => {
    const names = program.commands.map((command) => command.name()).join(', ')
    throw new IngotError('argument-invalid', `expected the name of a benchmark (${names}), got ${name === undefined ? 'none' : `"${name}"`}`)
  })
for (const add of [addBoot, addConsole, addImage, addJobs, addNetboot]) add(program, context)

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else if (error instanceof IngotError) {
    say(['bench: ' + error.message, ...error.problems.map((problem) => `  ${problem}`)].join('\n'))
    process.exitCode = errorCodes[error.code] === 'user' ? 2 : 1
  } else throw error
}
