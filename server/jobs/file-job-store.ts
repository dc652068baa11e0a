import { appendFile, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Static, TSchema } from 'typebox'
import { planSchema } from '../../images/plan.ts'
import { jobListSchema, withJobDefaults, type Job, type JobList } from '../api/job.ts'
import { statusSchema } from '../api/status.ts'
import { createFile, replaceFile } from '../durable-file.ts'
import { IngotError } from '../errors.ts'
import { HttpProblem } from '../http/problem.ts'
import { parseDocumentAs, renderProblem } from '../../images/parse-document.ts'
import type { JobStore, PerformedJob } from './job-store.ts'

function parseFile<Schema extends TSchema>(schema: Schema, text: string, path: string): Static<Schema> {
  const { value, problems } = parseDocumentAs(schema, text)
  if (problems.length > 0) throw new IngotError('data-invalid', `${path} is not as expected`, { problems: problems.map((problem) => renderProblem(path, problem)) })
  return value as Static<Schema>
}

const emptyList: JobList = { version: 1, jobs: [] }
const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Higher priority first; the sort is stable, so that jobs of one priority keep the user's order (B4). */
const byPriority = (jobs: readonly Job[]): Job[] => jobs.toSorted((one, other) => other.priority - one.priority)

/**
 * The job list as files that a person can read (B2, B11):
 *
 *     jobs.json              the list, in order
 *     plans/<job>.json       the script of each job
 *     status/<job>.json      who performs it and how far; absent = available
 *     performed/<job>.json   the job and its last status, once its image was received
 *     logs/<job>.log         what its workers said
 */
export function openFileJobStore(dataDirectory: string): JobStore {
  const listPath = join(dataDirectory, 'jobs.json')
  const pathOf = (folder: string, id: string, extension = 'json') => join(dataDirectory, folder, `${id}.${extension}`)
  // Writers of the list in this process take turns.
  let lastChange: Promise<void> = Promise.resolve()
  const changeList = (change: (jobs: readonly Job[]) => Job[]): Promise<void> => {
    const next = lastChange.then(async () => {
      const { jobs } = await list()
      await replaceFile(listPath, pretty({ version: 1, jobs: change(jobs) }))
    })
    lastChange = next.catch(() => {})
    return next
  }

  const list = async (): Promise<JobList> => {
    const text = await readIfThere(listPath)
    if (text === undefined) return emptyList
    const parsed = parseFile(jobListSchema, text, listPath)
    return { version: 1, jobs: byPriority(parsed.jobs.map(withJobDefaults)) }
  }

  return {
    list,
    add: (job) =>
      changeList((jobs) => {
        if (jobs.some((each) => each.id === job.id)) throw new HttpProblem(409, `job '${job.id}' is listed already`)
        return [...jobs, job]
      }),
    writePlan: (id, plan) => replaceFile(pathOf('plans', id), pretty(plan)),
    async plan(id) {
      const text = await readIfThere(pathOf('plans', id))
      return text === undefined ? undefined : parseFile(planSchema, text, pathOf('plans', id))
    },
    async status(id) {
      const text = await readIfThere(pathOf('status', id))
      return text === undefined ? undefined : parseFile(statusSchema, text, pathOf('status', id))
    },
    createStatus: (status) => createFile(pathOf('status', status.job), pretty(status)),
    replaceStatus: (status) => replaceFile(pathOf('status', status.job), pretty(status)),
    async perform(job, status) {
      // In this order a crash in between leaves the job listed with its status `performed`, which nobody can claim.
      await replaceFile(pathOf('status', job.id), pretty(status))
      await replaceFile(pathOf('performed', job.id), pretty({ job, status }))
      await changeList((jobs) => jobs.filter((each) => each.id !== job.id))
    },
    async performed() {
      const folder = join(dataDirectory, 'performed')
      await mkdir(folder, { recursive: true })
      const names = (await readdir(folder)).filter((name) => name.endsWith('.json'))
      return Promise.all(names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as PerformedJob))
    },
    async appendLog(id, text) {
      await mkdir(join(dataDirectory, 'logs'), { recursive: true })
      await appendFile(pathOf('logs', id, 'log'), text)
    },
    log: (id) => readIfThere(pathOf('logs', id, 'log')),
  }
}
