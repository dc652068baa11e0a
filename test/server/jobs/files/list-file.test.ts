import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withJobDefaults, type Job } from '../../../../server/api/job.ts'
import { createListFile } from '../../../../server/jobs/files/list-file.ts'

let directory: string
let path: string
let told: (readonly string[])[]
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-list-'))
  path = join(directory, 'jobs.json')
  told = []
})
afterEach(() => rm(directory, { recursive: true }))

const open = () => createListFile(path, (problems) => told.push(problems))
const job = (id: string, more: Partial<Job> = {}): Job => withJobDefaults({ id, recipe: 'r', ...more })
const ids = (jobs: readonly Job[]) => jobs.map(({ id }) => id)

test('B2 the list stands in one file that a person can read: a job on each line, without what is as by default', async () => {
  const list = open()
  await list.change(() => [job('a'), job('b', { priority: 5 })])
  expect(await readFile(path, 'utf8')).toBe(`{
  "version": 1,
  "jobs": [
    {"id":"a","recipe":"r"},
    {"id":"b","recipe":"r","priority":5}
  ]
}
`)
})

test('B4 an edit by hand is taken up', async () => {
  const list = open()
  await list.change(() => [job('a')])
  await writeFile(path, '{"version":1,"jobs":[{"id":"b","recipe":"r"},{"id":"a","recipe":"r"}]}')
  await list.refresh()
  const taken = list.jobs()
  expect(ids(taken)).toEqual(['b', 'a'])
  await list.refresh()
  expect(list.jobs()).toBe(taken)
})

test('a broken edit is told with line and column, and the last good list stays in force until it is good again', async () => {
  const list = open()
  await list.change(() => [job('a')])
  await writeFile(path, '{\n  "version": 1,\n  "jobs": [{ "id": "a", "recipe": "r", "prioritty": 1 }]\n}')
  await list.refresh()
  expect(ids(list.jobs())).toEqual(['a'])
  expect(list.problems()).toEqual([expect.stringMatching(/jobs\.json:3:\d+: jobs\[0\]\.prioritty: expected a known key \(nearest: priority;/)])
  await writeFile(path, '{ "version": 1, "jobs": [] }')
  await list.refresh()
  expect(list.jobs()).toEqual([])
  expect(list.problems()).toEqual([])
  expect(told.map((problems) => problems.length)).toEqual([1, 0])
})

test('an id that stands there twice is a broken edit', async () => {
  const list = open()
  await list.refresh()
  await writeFile(path, '{ "version": 1, "jobs": [{ "id": "a", "recipe": "r" }, { "id": "a", "recipe": "s" }] }')
  await list.refresh()
  expect(list.problems()).toEqual([expect.stringContaining('jobs[1].id: expected an id that stands once on the list, got "a"')])
})

test('a broken edit is kept beside when the server has to write the list', async () => {
  const list = open()
  await list.change(() => [job('a')])
  const broken = '{ "version": 1, "jobs": [ {"id": "a", "recipe": "r"}, {"id": "new" ] }'
  await writeFile(path, broken)
  await list.refresh()
  await list.change((jobs) => [...jobs, job('b')])
  expect(ids(list.jobs())).toEqual(['a', 'b'])
  expect(await readFile(`${path}.broken`, 'utf8')).toBe(broken)
  expect(list.problems()).toEqual([])
})

test('a list that is broken from the start is refused with all that is wrong', async () => {
  await writeFile(path, '{ "version": 1, "jobs": [{ "id": "A B" }] }')
  await expect(open().refresh()).rejects.toMatchObject({ code: 'data-invalid', problems: [expect.stringContaining('jobs[0]: expected a job with either recipe or deploy, got neither of them'), expect.stringContaining('jobs[0].id')] })
})

test('edits made at once all count, and one that throws changes nothing', async () => {
  const list = open()
  const made = await Promise.allSettled([
    ...Array.from({ length: 20 }, (_, number) => list.change((jobs) => [...jobs, job(`j${number}`)])),
    list.change(() => {
      throw new Error('no')
    }),
  ])
  expect(made.map(({ status }) => status)).toEqual([...Array.from({ length: 20 }, () => 'fulfilled'), 'rejected'])
  expect(JSON.parse(await readFile(path, 'utf8')).jobs).toHaveLength(20)
})

test('an edit works on what a person saved a moment before', async () => {
  const list = open()
  await list.change(() => [job('a')])
  await writeFile(path, '{"version":1,"jobs":[{"id":"a","recipe":"r"},{"id":"by-hand","recipe":"r"}]}')
  const { met } = await list.change((jobs) => [...jobs, job('c')])
  expect(ids(met)).toEqual(['a', 'by-hand'])
  expect(ids(list.jobs())).toEqual(['a', 'by-hand', 'c'])
})

test('a look that reads what another server wrote does not get in the way of a write: both changes stand', async () => {
  const [one, other] = [open(), open()]
  await one.change(() => [job('a')])
  for (let round = 0; round < 30; round++) {
    await other.change((jobs) => [...jobs, job(`other-${round}`)])
    const look = one.refresh()
    await one.change((jobs) => [...jobs, job(`one-${round}`)])
    await look
    await one.refresh()
  }
  await other.refresh()
  expect(other.jobs()).toHaveLength(61)
  expect(ids(one.jobs())).toEqual(ids(other.jobs()))
})

test('an editor that takes the file away for a moment does not empty the list', async () => {
  const list = open()
  await list.change(() => [job('a')])
  await rename(path, `${path}~`)
  await list.refresh()
  expect(ids(list.jobs())).toEqual(['a'])
  expect(list.problems()).toEqual([`${path}: expected the list of jobs, got no file`])
  await rename(`${path}~`, path)
  await list.refresh()
  expect(list.problems()).toEqual([])
})
