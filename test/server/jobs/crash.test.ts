import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import type { JobListAnswer } from '../../../server/api/job.ts'
import { openJobRack, type JobRack } from './job-rack.ts'
import { runLoadWorker, type LoadNotes } from './load-worker.ts'

const isFull = process.env.INGOT_SLOW_TESTS === '1'
const kills = isFull ? 500 : 20
const limitMs = isFull ? 3_600_000 : 240_000

let rack: JobRack
afterEach(() => rack?.remove())

const padded = (index: number) => `job-${String(index).padStart(6, '0')}`

/** Every list and every status that there is can be read. */
async function expectReadable(): Promise<void> {
  const list = await rack.ask<JobListAnswer>('/jobs.json')
  expect(list.status).toBe(200)
  expect(list.body.problems).toBeUndefined()
  expect((await rack.ask('/performed.json')).status).toBe(200)
  const held = list.body.jobs.filter(({ state }) => state === 'selected')
  const statuses = await Promise.all(held.map(async ({ id }) => (await rack.ask(`/status/${id}.json`)).status))
  // A job may have been performed or given back since.
  for (const status of statuses) expect([200, 404]).toContain(status)
}

test(`a server that is killed ${kills} times at random moments under load loses no job, doubles none, and every list and status can be read`, { timeout: limitMs }, async () => {
  rack = await openJobRack()
  const server = await rack.addServer()
  const notes: LoadNotes = { claims: new Map(), done: [] }
  const stop = new AbortController()
  const failed = new AbortController()
  const load = Array.from({ length: 8 }, (_, index) =>
    runLoadWorker(`worker-${index}`, { url: server.url, token: rack.workerToken, signal: stop.signal }, notes).catch((error: unknown) => failed.abort(error)),
  )

  // Jobs come in while others are done, a little ahead of the workers. An answer that was lost is looked up before the job is added again.
  const added: string[] = []
  let asked = 0
  let isAdding = true
  const isKnown = (id: string) => rack.ask(`/jobs/${id}.json`).then(({ status }) => status === 200)
  const addJobs = async (): Promise<void> => {
    while (isAdding) {
      if (asked - notes.done.length > 50) {
        await sleep(20)
        continue
      }
      const id = padded(asked++)
      const add = async () => {
        const answer = await rack.ask('/jobs', { method: 'POST', body: { id, recipe: 'r', silenceLimitSeconds: 600 } })
        if (answer.status !== 201) failed.abort(new Error(`a job was refused: ${JSON.stringify(answer.body)}`))
      }
      for (let isThere = false; !isThere; ) {
        isThere = await isKnown(id).then(async (known) => known || (await add(), true)).catch(() => sleep(20).then(() => false))
      }
      added.push(id)
    }
  }
  const adding = Promise.all(Array.from({ length: 4 }, addJobs))

  const moved = () => added.length + notes.done.length
  for (let kill = 0; kill < kills && !failed.signal.aborted; kill++) {
    // However long it takes to start: it is killed once it has done something again.
    for (const before = moved(); moved() === before && !failed.signal.aborted; ) await sleep(5)
    await sleep(Math.random() * 400)
    await server.kill()
    await server.start()
    if (kill % 5 === 0) await expectReadable()
  }
  isAdding = false
  await adding
  while (notes.done.length < added.length && !failed.signal.aborted) await sleep(50)
  failed.signal.throwIfAborted()
  await rack.drained()
  stop.abort()
  await Promise.all(load)

  added.sort()
  expect((await rack.performed()).map(({ job }) => job.id).sort()).toEqual(added)
  expect(await rack.imageVersions()).toEqual(added)
  // No claim was taken away, so that each job was claimed once, by the one that did it.
  expect([...notes.claims].filter(([, claims]) => claims.length !== 1)).toEqual([])
  expect(notes.done.toSorted()).toEqual(added)
})

test(`workers that are killed ${kills} times in all, at random moments, lose no job and do none twice`, { timeout: limitMs }, async () => {
  rack = await openJobRack()
  await rack.addServer()
  const workers = await Promise.all(Array.from({ length: isFull ? 12 : 6 }, () => rack.addWorker({ workMs: 150 })))
  const ids: string[] = []
  for (let kill = 0; kill < kills; kill++) {
    if (((await rack.ask<JobListAnswer>('/jobs.json')).body.jobs.length) < 20) {
      const more = Array.from({ length: 20 }, (_, index) => padded(ids.length + index))
      await rack.addJobs(more.map((id) => ({ id, recipe: 'r', maxAttempts: 100 })))
      ids.push(...more)
    }
    await sleep(Math.random() * 200)
    const worker = workers[Math.floor(Math.random() * workers.length)]!
    await worker.kill()
    worker.start()
    if (kill % 10 === 0) await expectReadable()
  }
  await rack.drained()

  const performed = await rack.performed()
  expect(performed.map(({ job }) => job.id).sort()).toEqual(ids)
  expect(await rack.imageVersions()).toEqual(ids)
  const done = (await rack.notes()).filter(({ what }) => what === 'done').map(({ job }) => job)
  expect(new Set(done).size).toBe(done.length)
  // Whoever noted that it was done is the one that the record names.
  const holders = new Map(performed.map(({ job, status }) => [job.id, status?.claimHash]))
  for (const { what, job, claim } of await rack.notes()) if (what === 'done') expect(holders.get(job)).toBe(claim)
})
