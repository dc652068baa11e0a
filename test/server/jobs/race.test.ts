import { afterEach, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../helpers/postgres.ts'
import { openJobRack, type JobRack } from './job-rack.ts'

const isFull = process.env.INGOT_SLOW_TESTS === '1'
const [workerCount, jobCount] = isFull ? [200, 2000] : [20, 200]
const limitMs = isFull ? 900_000 : 120_000

const jobIds = Array.from({ length: jobCount }, (_, index) => `job-${String(index).padStart(5, '0')}`)

let rack: JobRack
let postgres: TestPostgres | undefined
afterEach(async () => {
  await rack?.remove()
  await postgres?.remove()
  postgres = undefined
})

const startWorkers = () => Promise.all(Array.from({ length: workerCount }, (_, index) => rack.addWorker({ first: index % 2 })))
const performedIds = async () => (await rack.performed()).map(({ job }) => job.id).sort()

test(`B8 ${workerCount} workers at two servers on one directory do ${jobCount} jobs, each once`, { timeout: limitMs }, async () => {
  rack = await openJobRack()
  await rack.addServer()
  await rack.addServer()
  // However long two hundred processes take to start on this machine, none is taken for lost, so that each job is begun once too.
  await rack.addJobs(jobIds.map((id) => ({ id, recipe: 'r', silenceLimitSeconds: 3600 })))
  await startWorkers()
  await rack.atRest()
  expect(await performedIds()).toEqual(jobIds)
  expect((await rack.performed()).filter(({ status }) => status?.attempt !== 1)).toEqual([])
  expect(await rack.imageVersions()).toEqual(jobIds)
  const notes = await rack.notes()
  for (const what of ['begin', 'done']) expect(notes.filter((note) => note.what === what).map(({ job }) => job).sort()).toEqual(jobIds)
})

test(`B8 ${workerCount} workers at two servers on one PostgreSQL do ${jobCount} jobs, each once, though one server is killed half-way`, { timeout: limitMs }, async () => {
  postgres = await startPostgres()
  rack = await openJobRack({ databaseUrl: await postgres.createDatabase() })
  const servers = [await rack.addServer(), await rack.addServer()]
  // What the killed server's workers hold is lost to them after a while.
  await rack.addJobs(jobIds.map((id) => ({ id, recipe: 'r', silenceLimitSeconds: isFull ? 60 : 5, maxAttempts: 100 })))
  await startWorkers()
  while ((await rack.performed()).length < jobCount / 2) await new Promise((resolve) => setTimeout(resolve, 100))
  await servers[0]!.kill()
  await rack.drained()
  expect(await performedIds()).toEqual(jobIds)
  const done = (await rack.notes()).filter(({ what }) => what === 'done').map(({ job }) => job)
  expect(new Set(done).size).toBe(done.length)
})
