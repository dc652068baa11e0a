import { open, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../../../images/fault.ts'
import { parseDocumentAs, renderProblem } from '../../../images/parse-document.ts'
import { jobListSchema, withJobDefaults, type Job, type JobList } from '../../api/job.ts'
import { replaceFile } from '../../durable-file.ts'
import { IngotError } from '../../errors.ts'
import { shareNext } from '../../share-next.ts'

/** `jobs.json` in memory: the jobs in the user's order. */
export interface ListFile {
  jobs(): readonly Job[]
  /** What is wrong with the file as it stands, while `jobs` gives the last good list; empty when all is well. */
  problems(): readonly string[]
  /**
   * Reads the file again if it changed, after which `jobs` gives another array. While `change` writes, which one server does at a time, the list as it
   * was before stays in force. Throws when it cannot be read, and `IngotError` 'data-invalid' when it never was good.
   */
  refresh(): Promise<void>
  /**
   * Replaces the list by what `edit` makes of it; those who edit meanwhile share one write. Returns the list that `edit` met and the one it made.
   * Whatever `edit` throws is passed on. Hold the lock.
   */
  change(edit: EditList): Promise<Edited>
}

export type EditList = (jobs: readonly Job[]) => readonly Job[]
export interface Edited {
  met: readonly Job[]
  made: readonly Job[]
}

/** A person who saves with an editor that writes in place leaves a half file for a moment. */
const editorMs = 1000

/** What identifies a file that is not there. */
const absent = 'absent'

function repeatedIds({ jobs }: JobList): Fault[] {
  const ids = new Set<string>()
  return jobs.flatMap(({ id }, index) => (ids.size === ids.add(id).size ? [{ path: ['jobs', index, 'id'], expected: 'an id that stands once on the list', got: JSON.stringify(id) }] : []))
}

/** A job as it stands in the file: one line, without what is as by default. */
export function renderJobEntry(job: Job): string {
  const { id, recipe, deploy, ...choices } = job
  const defaults: Record<string, unknown> = withJobDefaults({ id })
  const chosen = Object.entries(choices).filter(([key, value]) => defaults[key] !== value)
  return JSON.stringify({ id, recipe, deploy, ...Object.fromEntries(chosen) })
}

/** Opens `jobs.json`; a list of nothing when there is no such file. `onProblems` is told when a person's edit is broken, and with an empty array when it is good again. */
export function createListFile(path: string, onProblems: (problems: readonly string[]) => void): ListFile {
  let jobs: readonly Job[] | undefined
  let problems: readonly string[] = []
  let seen = ''
  let changedAt = 0
  const lines = new WeakMap<Job, string>()
  const render = (list: readonly Job[]): string => {
    const text = list.map((job) => {
      let line = lines.get(job)
      if (line === undefined) lines.set(job, (line = renderJobEntry(job)))
      return `    ${line}`
    })
    return `{\n  "version": 1,\n  "jobs": [${text.length === 0 ? '' : `\n${text.join(',\n')}\n  `}]\n}\n`
  }

  // The file is opened for it: a network file system asks its server then, and may answer a mere stat out of its cache (nfs(5), "close-to-open").
  const identify = async (): Promise<string> => {
    try {
      const file = await open(path)
      try {
        const { ino, size, mtimeMs, ctimeMs } = await file.stat()
        changedAt = mtimeMs
        return `${ino} ${size} ${mtimeMs} ${ctimeMs}`
      } finally {
        await file.close()
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return absent
      throw error
    }
  }

  const read = async (): Promise<{ list: Job[] } | { problems: string[] }> => {
    const parsed = parseDocumentAs(jobListSchema, await readFile(path, 'utf8'), repeatedIds)
    if (parsed.value === undefined) return { problems: parsed.problems.map((problem) => renderProblem(path, problem)) }
    return { list: parsed.value.jobs.map(withJobDefaults) }
  }
  /** An editor may take the file away for a moment before it puts the new one there, and a list is not emptied by that. */
  const missing = (): { list: Job[] } | { problems: string[] } =>
    jobs === undefined ? { list: [] } : { problems: [`${path}: expected the list of jobs, got no file`] }

  // One look at a time: a slower one that began earlier must not bring back what it read.
  const look = shareNext(async (): Promise<void> => {
    const found = await identify()
    if (found === seen && jobs !== undefined) return
    const result = found === absent ? missing() : await read()
    seen = found
    if ('problems' in result) {
      problems = result.problems
      if (jobs === undefined) throw new IngotError('data-invalid', `${path} is not as expected`, { problems })
      return onProblems(problems)
    }
    const wasBroken = problems.length > 0
    problems = []
    jobs = result.list
    if (wasBroken) onProblems(problems)
  })

  interface Edit extends PromiseWithResolvers<Edited> {
    edit: EditList
  }
  let waiting: Edit[] = []
  let writing = false

  const write = async (edits: Edit[]): Promise<void> => {
    await look()
    const brokenAt = Date.now()
    while (problems.length > 0 && Date.now() - (seen === absent ? brokenAt : changedAt) < editorMs) {
      await sleep(100)
      await look()
    }
    // What a person broke is kept beside before the good list takes its place.
    if (problems.length > 0 && seen !== absent) await replaceFile(`${path}.broken`, await readFile(path))
    let next = jobs ?? []
    const edited = edits.flatMap(({ edit, resolve, reject }) => {
      try {
        const met = next
        next = edit(met)
        const made = next
        return [() => resolve({ met, made })]
      } catch (error) {
        reject(error)
        return []
      }
    })
    if (edited.length === 0) return
    await replaceFile(path, render(next))
    jobs = next
    problems = []
    seen = await identify()
    for (const resolve of edited) resolve()
  }

  // Edits that come while a write is under way are written together by the next.
  const writeWaiting = async (): Promise<void> => {
    writing = true
    while (waiting.length > 0) {
      const edits = waiting
      waiting = []
      try {
        await write(edits)
      } catch (error) {
        for (const { reject } of edits) reject(error)
      }
    }
    writing = false
  }

  return {
    jobs: () => jobs ?? [],
    problems: () => problems,
    refresh: async () => {
      if (!writing) await look()
    },
    change(edit) {
      const asked: Edit = { edit, ...Promise.withResolvers<Edited>() }
      waiting.push(asked)
      if (!writing) void writeWaiting()
      return asked.promise
    },
  }
}
