import type { Command } from 'commander'
import type { Job, ListedJob, NewJob } from '../api/job.ts'
import { IngotError } from '../errors.ts'
import { askServer, type ServerAddress } from '../http-client.ts'
import type { CommandContext } from './context.ts'

interface ServerOptions {
  server?: string
  json?: true
}

/** `ingot job add|list`: the job list of a running first computer. */
export function addJob(program: Command, { print, say, env }: CommandContext): Command {
  const addressOf = (options: ServerOptions): ServerAddress => {
    const url = options.server ?? env.INGOT_SERVER
    const token = env.INGOT_TOKEN
    if (url === undefined) throw new IngotError('argument-invalid', 'expected the address of a first computer in --server or INGOT_SERVER, got none')
    if (token === undefined) throw new IngotError('argument-invalid', 'expected an operator token in the variable INGOT_TOKEN, got none; make one with: ingot token create --role operator')
    return { url, token }
  }
  const withServer = (command: Command) =>
    command.option('--server <url>', 'the first computer (default: INGOT_SERVER); the token comes from INGOT_TOKEN').option('--json', 'machine-readable output')

  const job = program.command('job').summary('put jobs on the list, and see it').description('The job list of a running first computer.')
  withServer(job.command('add'))
    .description('Puts a job that builds a recipe on the list. Waits until what the job needs is ready.')
    .argument('<recipe>', 'name of the recipe')
    .option('--priority <number>', 'higher goes first', wholeNumber)
    .option('--time-limit <seconds>', 'from claim to finished image', wholeNumber)
    .action(async (recipe: string, options: ServerOptions & { priority?: number; timeLimit?: number }) => {
      const wanted: NewJob = {
        recipe,
        ...(options.priority === undefined ? {} : { priority: options.priority }),
        ...(options.timeLimit === undefined ? {} : { timeLimitSeconds: options.timeLimit }),
      }
      if (options.json !== true) say(`preparing ${recipe} (the first time this builds its root filesystem)`)
      const response = await askServer(addressOf(options), '/jobs', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(wanted),
      })
      const made = (await response.json()) as Job
      print(options.json === true ? JSON.stringify(made) : made.id)
    })
  withServer(job.command('list'))
    .description('Shows the list in its order.')
    .action(async (options: ServerOptions) => {
      const { jobs } = (await (await askServer(addressOf(options), '/jobs.json')).json()) as { jobs: ListedJob[] }
      if (options.json === true) return print(JSON.stringify(jobs))
      if (jobs.length === 0) return print('no jobs; add one with: ingot job add RECIPE')
      const width = Math.max(...jobs.map((each) => each.id.length))
      for (const each of jobs) print(`${each.id.padEnd(width)}  ${each.state.padEnd(9)}  priority ${String(each.priority).padStart(4)}  ${each.recipe}`)
    })
  return job
}

function wholeNumber(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new IngotError('argument-invalid', `expected a whole number, got "${text}"`)
  return Number(text)
}
