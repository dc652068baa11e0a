import type { Command } from 'commander'
import { describeWork } from '../../api/describe-work.ts'
import type { EndedJob } from '../../api/history.ts'
import { askServer } from '../../http-client.ts'
import type { CommandContext } from '../context.ts'
import { renderTable } from '../render-table.ts'
import { serverAddress, withServerAndJson, type ServerOptions } from '../server-options.ts'
import { wholeNumber } from './job-choices.ts'

/** `ingot job performed`: what came of the jobs that are not on the list any more. */
export const addJobPerformed = (job: Command, { print, say, env, signal, columns }: CommandContext): Command =>
  withServerAndJson(job.command('performed'))
    .description('Shows the jobs that were performed, the newest first.')
    .option('--limit <number>', 'at most so many', wholeNumber, 50)
    .addHelpText('after', '\nExamples:\n  ingot job performed\n  ingot job performed --limit 1000 --json')
    .action(async (options: ServerOptions & { limit: number }) => {
      const answer = await askServer(serverAddress(options, { env, signal }), `/performed.json?order=newest&limit=${options.limit}`)
      const { jobs, problems = [] } = (await answer.json()) as { jobs: EndedJob[]; problems?: string[] }
      if (problems.length > 0) say(['not all is there:', ...problems].join('\n  '))
      if (options.json === true) return print(JSON.stringify(jobs))
      if (jobs.length === 0) return say('no job was performed yet')
      const rows = jobs.map(({ job: { id, ...work }, status, endedAt }) => [id, endedAt, status?.worker ?? '', String(status?.attempt ?? ''), status?.imageVersion === id ? '' : (status?.imageVersion ?? ''), describeWork(work)])
      for (const line of renderTable(['JOB', 'PERFORMED', 'WORKER', 'ATTEMPT', 'VERSION', 'WORK'], rows, columns)) print(line)
    })
