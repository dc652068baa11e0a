import { Option, type Command } from 'commander'
import type { Job, JobListAnswer, JobPatch, ListedJob, NewJob, Place } from '../api/job.ts'
import { IngotError } from '../errors.ts'
import { askServer } from '../http-client.ts'
import type { CommandContext } from './context.ts'
import { followLog, readDetails, readLog } from './job/follow-log.ts'
import { choiceNames, choicesFrom, patchFrom, placeFrom, withChoices, withPlace, type ChoiceName, type ChoiceOptions, type PlaceOptions } from './job/job-choices.ts'
import { addJobPerformed } from './job/performed.ts'
import { renderJob } from './job/render-job.ts'
import { renderJobList } from './job/render-job-list.ts'
import { machineId } from './machine-id.ts'
import { oneLine } from './render-table.ts'
import { serverAddress, withServer, withServerAndJson, type ServerOptions } from './server-options.ts'

const examples = `
Examples:
  ingot job add debian-12-nginx --priority 5 --requires firmware=uefi memoryMiB=4096
  ingot job list --state failed
  ingot job show web-1
  ingot job log web-1 --follow
The server is given by --server or INGOT_SERVER, an operator's token by INGOT_TOKEN.
Exit code: 0 done, 2 the server refused or an argument is wrong.`

/** `ingot job …`: the job list of a running first computer or master. */
export function addJob(program: Command, context: CommandContext): Command {
  const { print, say, env, exit, signal, columns } = context
  const asJson = { 'content-type': 'application/json' }
  const send = async (options: ServerOptions, method: string, path: string, body?: NewJob | JobPatch | Place | { machine: string }) =>
    askServer(serverAddress(options, { env, signal }), path, { method, ...(body === undefined ? {} : { headers: asJson, body: JSON.stringify(body) }) })
  const pathOf = (id: string, action = '') => `/jobs/${encodeURIComponent(id)}${action}`
  const tell = async (options: ServerOptions, response: { json(): Promise<unknown> }, said: (job: ListedJob) => string) => {
    const job = (await response.json()) as ListedJob
    print(options.json === true ? JSON.stringify(job) : said(job))
  }

  const job = program
    .command('job')
    .summary('the job list: add, order, see, follow')
    .description('The job list of a running first computer or master.')
    .addHelpText('after', examples)

  withPlace(withChoices(withServerAndJson(job.command('add'))))
    .description('Puts a job that builds a recipe on the list. Waits until what the job needs is ready.')
    .argument('<recipe>', 'name of the recipe')
    .option('--id <id>', 'what the job is called (default: the recipe and the time)')
    .option('--no-cache', 'perform all steps, also those whose result an earlier build kept, and keep nothing for later builds')
    .addHelpText('after', '\nExample:\n  ingot job add debian-12 --id web-1 --requires firmware=uefi labels.rack=b2 --first')
    .action(async (recipe: string, options: ServerOptions & ChoiceOptions & PlaceOptions & { id?: string; cache: boolean }) => {
      const place = placeFrom(options)
      const wanted = { recipe, ...(options.id === undefined ? {} : { id: options.id }), ...(options.cache ? {} : { cache: false }), ...choicesFrom(options), ...(place === undefined ? {} : { place }) }
      if (options.json !== true) say(`preparing ${recipe} (the first time this builds its root filesystem)`)
      const made = (await (await send(options, 'POST', '/jobs', wanted)).json()) as Job
      print(options.json === true ? JSON.stringify(made) : made.id)
    })

  withServerAndJson(job.command('list'))
    .description('Shows the list in its order.')
    .option('--state <states>', 'only these, comma-separated: available, waiting, selected, proving, failed, cancelled')
    .addHelpText('after', '\nExample:\n  ingot job list --state selected,failed')
    .action(async (options: ServerOptions & { state?: string }) => {
      const query = options.state === undefined ? '' : `?${new URLSearchParams({ state: options.state })}`
      const { jobs, problems = [] } = (await (await send(options, 'GET', `/jobs.json${query}`)).json()) as JobListAnswer
      if (problems.length > 0) say(['not all is well with the list:', ...problems].join('\n  '))
      if (options.json === true) return print(JSON.stringify(jobs))
      if (jobs.length === 0) return say(options.state === undefined ? 'no jobs; add one with: ingot job add RECIPE' : `no job is ${options.state}`)
      for (const line of renderJobList(jobs, { nowMs: Date.now(), width: columns })) print(line)
    })

  withServerAndJson(job.command('show'))
    .description('Shows all that is known of a job, also of one that has left the list: who may take it, attempts, and why it failed.')
    .argument('<job>', 'id of the job')
    .addHelpText('after', '\nExample:\n  ingot job show web-1')
    .action(async (id: string, options: ServerOptions) => {
      const details = await readDetails(serverAddress(options, { env, signal }), id)
      if (options.json === true) return print(JSON.stringify(details))
      for (const line of renderJob(details, { nowMs: Date.now(), width: columns })) print(line)
    })

  addJobPerformed(job, context)

  withPlace(withServerAndJson(job.command('move')))
    .description('Moves a job on the list. Beside another it takes that one\'s priority.')
    .argument('<job>', 'id of the job')
    .addHelpText('after', '\nExample:\n  ingot job move web-1 --before web-0')
    .action(async (id: string, options: ServerOptions & PlaceOptions) => {
      const place = placeFrom(options)
      if (place === undefined) throw new IngotError('argument-invalid', 'expected where to: --before JOB, --after JOB, --first or --last, got none')
      await tell(options, await send(options, 'POST', pathOf(id, '/move'), place), (moved) => `${moved.id}: moved, priority ${moved.priority}`)
    })

  withChoices(withServerAndJson(job.command('edit')))
    .description('Changes what was chosen for a job. What a worker holds already goes on by the new choices, but its deadline stays.')
    .argument('<job>', 'id of the job')
    .addOption(new Option('--unset <choices...>', 'back to the default').choices(choiceNames))
    .addHelpText('after', '\nExample:\n  ingot job edit web-1 --priority 5 --unset requires')
    .action(async (id: string, options: ServerOptions & ChoiceOptions & { unset?: ChoiceName[] }) => {
      await tell(options, await send(options, 'PATCH', pathOf(id), patchFrom(options)), (edited) => `${edited.id}: changed`)
    })

  withServerAndJson(job.command('assign'))
    .description('Pushes a job to a machine: it goes before all else there, and to nobody else.')
    .argument('<job>', 'id of the job')
    .argument('<machine>', 'id of the machine: its MAC address, or the name of its credential')
    .addHelpText('after', '\nExamples:\n  ingot job assign web-1 52-54-00-12-34-56\n  ingot job edit web-1 --unset assign')
    .action(async (id: string, machine: string, options: ServerOptions) => {
      const assigned = await send(options, 'POST', pathOf(id, '/assign'), { machine: machineId(machine) })
      await tell(options, assigned, ({ assignedTo }) => `${id}: for ${assignedTo} alone`)
    })

  const simple = [
    ['retry', 'Makes a job that failed, was cancelled or waits available now, its attempts counted anew.'],
    ['cancel', 'Stops a job and keeps it on the list, where nobody takes it until it is retried. Its worker is refused from now on.'],
  ] as const
  for (const [action, description] of simple) {
    withServerAndJson(job.command(action))
      .description(description)
      .argument('<job>', 'id of the job')
      .addHelpText('after', `\nExample:\n  ingot job ${action} web-1`)
      .action(async (id: string, options: ServerOptions) => {
        await tell(options, await send(options, 'POST', pathOf(id, `/${action}`)), (changed) => `${changed.id}: ${changed.state}`)
      })
  }

  withServerAndJson(job.command('remove'))
    .description('Takes a job off the list for good. A worker that holds it is refused from now on.')
    .argument('<job>', 'id of the job')
    .addHelpText('after', '\nExample:\n  ingot job remove web-1')
    .action(async (id: string, options: ServerOptions) => {
      await send(options, 'DELETE', pathOf(id))
      print(options.json === true ? JSON.stringify({ id, end: 'removed' }) : `${id}: removed`)
    })

  withServer(job.command('log'))
    .description('Prints what the workers of a job said.')
    .argument('<job>', 'id of the job')
    .option('-f, --follow', 'go on as it comes until the job ends; exit code 0 when it was performed, else 1')
    .addHelpText('after', '\nExample:\n  ingot job log web-1 --follow')
    .action(async (id: string, options: ServerOptions & { follow?: true }) => {
      const address = serverAddress(options, { env, signal })
      // A file is given the log as it is.
      const show = (line: string) => print(columns === undefined ? line : oneLine(line))
      if (options.follow === true) {
        const end = await followLog(address, id, { print: show, say, signal })
        return exit(end === undefined ? 130 : end === 'performed' ? 0 : 1)
      }
      await readDetails(address, id)
      const text = (await readLog(address, id)).toString()
      if (text === '') say(`${id} has no log yet`)
      else for (const line of text.replace(/\n$/, '').split('\n')) show(line)
    })
  return job
}
