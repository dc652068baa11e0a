import { mkdir, mkdtemp, readFile, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEventLog } from '../../server/event-log.ts'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-events-'))
  path = join(directory, 'events.ndjson')
})
afterEach(() => rm(directory, { recursive: true }))

const jobsIn = async () => (await readFile(path, 'utf8')).trimEnd().split('\n').map((line) => (JSON.parse(line) as { job: string }).job)

test('F8 events are kept in order, one line each, and told to those who follow', async () => {
  const events = openEventLog(directory)
  const followed: string[] = []
  const unfollow = events.follow(({ event }) => followed.push(event.hop))
  const names = Array.from({ length: 500 }, (_, index) => `job-${index}`)
  for (const job of names) events.emit({ machine: 'm1', hop: 'claim', job })
  unfollow()
  events.emit({ machine: 'm1', hop: 'performed', job: 'last' })
  expect(followed).toHaveLength(500)
  const [first, second] = events.since(0)
  expect(events.since(first!.number)[0]).toEqual(second)
  await events.close()
  expect(await jobsIn()).toEqual([...names, 'last'])
})

test('what is told after the end is written too, and troubles nobody', async () => {
  const events = openEventLog(directory)
  events.emit({ machine: 'm1', hop: 'claim', job: 'a' })
  await events.close()
  events.emit({ machine: 'm1', hop: 'claim', job: 'b' })
  await events.written()
  expect(await jobsIn()).toEqual(['a', 'b'])
})

test('events that cannot be written stop nobody, and are written when they can be', async () => {
  await mkdir(path)
  const events = openEventLog(directory)
  events.emit({ machine: 'm1', hop: 'claim', job: 'a' })
  events.emit({ machine: 'm1', hop: 'claim', job: 'b' })
  await new Promise((resolve) => setTimeout(resolve, 50))
  await rmdir(path)
  events.emit({ machine: 'm1', hop: 'claim', job: 'c' })
  await events.close()
  expect(await jobsIn()).toEqual(['a', 'b', 'c'])
})
