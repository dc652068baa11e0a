import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import pino from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { errorCodes } from '../../../server/errors.ts'
import type { JobStore } from '../../../server/jobs/job-store.ts'
import { openPostgresJobStore } from '../../../server/jobs/postgres/open-postgres-job-store.ts'
import { startLossyPostgres, type LossyPostgres } from '../../helpers/lossy-postgres.ts'
import { startPostgres, type TestPostgres } from '../../helpers/postgres.ts'
import { describeJobStore } from './job-store-contract.ts'
import { sampleHistory, sampleJob, samplePerformed, samplePlan, sampleStatus } from './sample-job.ts'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres?.remove())

describeJobStore('jobs in PostgreSQL', async () => {
  const url = await postgres.createDatabase()
  return { open: () => openPostgresJobStore({ url }), remove: async () => {} }
})

const opened: JobStore[] = []
const closeAll = async (): Promise<void> => {
  for (const each of opened.splice(0)) await each.close()
}
afterEach(closeAll)
const open = async (url: string): Promise<JobStore> => {
  const store = await openPostgresJobStore({ url, patienceMs: 30_000 })
  opened.push(store)
  return store
}
const count = (total: number): number[] => Array.from({ length: total }, (_, index) => index)

async function ask<Row extends object>(url: string, statement: string): Promise<Row[]> {
  const client = new Client(url)
  await client.connect()
  try {
    return (await client.query<Row>(statement)).rows
  } finally {
    await client.end()
  }
}

describe('the schema', () => {
  test('is made once by servers that start at the same time', async () => {
    const url = await postgres.createDatabase()
    const stores = await Promise.all(count(8).map(() => open(url)))
    await Promise.all(stores.map((store, index) => store.add(sampleJob(`job-${index}`))))
    expect(await ask(url, 'SELECT version FROM ingot.migrations')).toEqual([{ version: 1 }])
    expect(await stores[0]!.list()).toHaveLength(8)
  })

  test('of a newer Ingot is refused', async () => {
    const url = await postgres.createDatabase()
    await open(url)
    await closeAll()
    await ask(url, 'INSERT INTO ingot.migrations (version) VALUES (99)')
    await expect(openPostgresJobStore({ url })).rejects.toMatchObject({
      code: 'data-invalid',
      message: expect.stringMatching(/^database: expected schema version 1 or older at .*, got 99; a newer Ingot made it$/),
    })
  })
})

describe('what cannot be opened is told with the reason, without the password', () => {
  const problemOf = async (url: string) => {
    const lines: string[] = []
    const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
    const error: unknown = await openPostgresJobStore({ url, log, patienceMs: 200 }).catch((reason: unknown) => reason)
    expect(`${JSON.stringify(error)} ${(error as Error).stack} ${lines.join('')}`).not.toContain('geheim')
    return error
  }

  test('no address', async () => {
    expect(await problemOf('postgres://ingot:geheim@host:port/x')).toMatchObject({ code: 'config-invalid', message: expect.stringContaining('postgres://user@host/database') })
  })

  test('nobody there', async () => {
    expect(await problemOf('postgres://ingot:geheim@127.0.0.1:1/jobs')).toMatchObject({
      code: 'store-unreachable',
      message: expect.stringMatching(/^the job store 127\.0\.0\.1:1\/jobs cannot be reached: .*ECONNREFUSED/),
    })
    expect(errorCodes['store-unreachable']).toBe('system')
  })

  test('no such database, no such user', async () => {
    const url = await postgres.createDatabase()
    expect(await problemOf(url.replace(/\/job_store_\d+$/, '/nowhere').replace('ingot@', 'ingot:geheim@'))).toMatchObject({
      code: 'config-invalid',
      message: expect.stringMatching(/^database: .*\/nowhere refused: database "nowhere" does not exist$/),
    })
    expect(await problemOf(url.replace('ingot@', 'stranger:geheim@'))).toMatchObject({ code: 'config-invalid', message: expect.stringContaining('stranger') })
  })
})

test('the cost of a look at the available jobs does not grow with the list', async () => {
  const url = await postgres.createDatabase()
  await (await open(url)).add(sampleJob('first', { priority: 1 }))
  await ask(
    url,
    `INSERT INTO ingot.jobs (id, entry, priority, taken, assigned_to)
    SELECT 'job-' || n, json_build_object('id', 'job-' || n, 'recipe', 'r'), n % 3, n % 2 = 0, CASE WHEN n % 50 = 1 THEN 'm1' END FROM generate_series(1, 100000) AS n`,
  )
  await closeAll()
  const used = async () => {
    const [row] = await ask<{ scans: string; tuples: string; whole: string }>(
      url,
      `SELECT idx_scan AS scans, idx_tup_read AS tuples, (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'jobs') AS whole
      FROM pg_stat_user_indexes WHERE indexrelname = 'jobs_available'`,
    )
    return { scans: Number(row!.scans), tuples: Number(row!.tuples), whole: Number(row!.whole) }
  }
  const before = await used()
  const store = await open(url)
  const found = await store.available({ accept: ({ job }) => !job.id.endsWith('7'), limit: 20 })
  expect(found.map(({ job }) => job.priority)).toEqual(count(20).map(() => 2))
  // A connection gives its figures when it ends.
  await closeAll()
  await vi.waitFor(async () => expect((await used()).scans).toBe(before.scans + 1), { timeout: 20_000 })
  const after = await used()
  expect(after.tuples - before.tuples).toBeLessThanOrEqual(100)
  expect(after.whole).toBe(before.whole)
})

describe('a broken connection', () => {
  const breakConnections = (url: string) => ask(url, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()')

  test('that was idle is not noticed by the next who asks', async () => {
    const url = await postgres.createDatabase()
    const store = await open(url)
    await Promise.all(count(10).map((index) => store.add(sampleJob(`job-${index}`))))
    await breakConnections(url)
    expect(await store.list()).toHaveLength(10)
  })

  test('does not keep notices away: those who follow are called when it is made anew, and told of what comes then', async () => {
    const url = await postgres.createDatabase()
    const [store, other] = [await open(url), await open(url)]
    let calls = 0
    store.follow(() => calls++)
    await breakConnections(url)
    await vi.waitFor(() => expect(calls).toBe(1), { timeout: 20_000 })
    await other.add(sampleJob('a'))
    await vi.waitFor(() => expect(calls).toBe(2), { timeout: 20_000 })
  })
})

describe('an answer that is lost after the server has done what it was asked', () => {
  let way: LossyPostgres
  let store: JobStore
  let other: JobStore
  beforeEach(async () => {
    const url = await postgres.createDatabase()
    way = await startLossyPostgres(url)
    store = await open(way.url)
    other = await open(url)
    await store.add(sampleJob('a'))
  })
  afterEach(async () => {
    await closeAll()
    await way?.close()
  })

  test('B8 a claim finds itself', async () => {
    const lost = way.loseAnswerTo('INSERT INTO ingot.status')
    expect(await store.claim('a', () => sampleStatus('a', 'w1'))).toEqual({ claimed: true, status: sampleStatus('a', 'w1') })
    await lost
    expect(await other.claim('a', () => sampleStatus('a', 'w2'))).toEqual({ claimed: false, status: sampleStatus('a', 'w1') })
  })

  test('a status is written once', async () => {
    await store.claim('a', () => sampleStatus('a'))
    const lost = way.loseAnswerTo('INSERT INTO ingot.status')
    const done = await store.change('a', ({ status }) => ({ kind: 'status', status: { ...status!, revision: status!.revision + 1 } }))
    await lost
    expect(done?.record.status?.revision).toBe(1)
    expect((await other.read('a'))?.status?.revision).toBe(2)
  })

  test('a job is released once', async () => {
    await store.claim('a', () => sampleStatus('a'))
    const lost = way.loseAnswerTo('INSERT INTO ingot.history')
    const done = await store.change('a', ({ status }) => (status === undefined ? { kind: 'keep' } : { kind: 'release', history: sampleHistory() }))
    await lost
    expect(done?.change).toEqual({ kind: 'release', history: sampleHistory() })
    expect(await other.read('a')).toEqual({ job: sampleJob('a'), history: sampleHistory() })
  })

  test('B10 a job ends once, and its end is told', async () => {
    const ended = samplePerformed(sampleJob('a'))
    const lost = way.loseAnswerTo('INSERT INTO ingot.ended')
    expect(await store.change('a', () => ({ kind: 'end', ended }))).toEqual({ record: { job: sampleJob('a') }, change: { kind: 'end', ended } })
    await lost
    expect(await other.performed()).toEqual([ended])
  })

  test('a job is added once, and a second of that id is still refused', async () => {
    const lost = way.loseAnswerTo('COMMIT')
    await store.add(sampleJob('b', { createdAt: '2026-11-23T10:00:00.000Z' }), { before: 'a' })
    await lost
    expect((await other.list()).map(({ job }) => job.id)).toEqual(['b', 'a'])
    await expect(store.add(sampleJob('b', { createdAt: '2026-11-23T10:00:00.000Z' }))).rejects.toMatchObject({ status: 409 })
  })

  test('a line of a log is there once', async () => {
    const lost = way.loseAnswerTo('INSERT INTO ingot.logs')
    await store.appendLog('a', 'one\n')
    await lost
    await store.appendLog('a', 'two\n')
    expect(await other.log('a')).toBe('one\ntwo\n')
  })

  test('a job is edited and moved', async () => {
    await store.add(sampleJob('b'))
    const lostEdit = way.loseAnswerTo('SET revision = revision + 1, entry')
    expect(await store.edit('a', (job) => ({ ...job, maxAttempts: 7 }))).toEqual(sampleJob('a', { maxAttempts: 7 }))
    await lostEdit
    const lostMove = way.loseAnswerTo('COMMIT')
    await store.move('b', { before: 'a' })
    await lostMove
    expect(await other.list()).toEqual([{ job: sampleJob('b') }, { job: sampleJob('a', { maxAttempts: 7 }) }])
  })

  test('what someone else wrote in between is seen', async () => {
    await store.claim('a', () => sampleStatus('a'))
    const lost = way.loseAnswerTo('INSERT INTO ingot.status')
    const running = store.change('a', ({ status }) => (status?.state === 'cancelled' ? { kind: 'keep' } : { kind: 'status', status: sampleStatus('a', 'w1', { state: 'running' }) }))
    await lost
    await other.change('a', () => ({ kind: 'status', status: sampleStatus('a', 'w1', { state: 'cancelled' }) }))
    await running
    expect((await other.read('a'))?.status?.state).toBe('cancelled')
  })
})

describe('a server that is away', () => {
  test('is told when the patience is over, and found again', async () => {
    const url = await postgres.createDatabase()
    const store = await openPostgresJobStore({ url, patienceMs: 100 })
    opened.push(store)
    await store.add(sampleJob('a'))
    await postgres.kill()
    const asked = [
      store.list(),
      store.available({ accept: () => true, limit: 1 }),
      store.claim('a', () => sampleStatus('a')),
      store.change('a', () => ({ kind: 'release' })),
      store.add(sampleJob('b')),
      store.appendLog('a', 'x'),
    ]
    const answers = await Promise.allSettled(asked)
    await postgres.start()
    for (const answer of answers) expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'store-unreachable' } })
    expect(await store.list()).toEqual([{ job: sampleJob('a') }])
  })
})

describe('a server that is killed again and again and comes back', () => {
  /** Kills the server a few times, each time in the middle of what `act` does until it is told to stop. */
  const killDuring = async (act: (isOver: () => boolean) => Promise<unknown>): Promise<void> => {
    let over = false
    const acting = act(() => over)
    acting.catch(() => {})
    try {
      for (const restMs of [120, 200, 80, 160]) {
        await sleep(restMs)
        await postgres.kill()
        await postgres.start()
      }
    } finally {
      over = true
      await acting
    }
  }

  test('B8 loses no claim and doubles none', async () => {
    const url = await postgres.createDatabase()
    const stores = [await open(url), await open(url)]
    const told = new Map<string, string[]>()
    let added = 0
    let isWhole = false
    await killDuring(async (isOver) => {
      const addMore = async (): Promise<void> => {
        while (!isOver()) {
          const from = added
          await Promise.all(count(20).map((index) => stores[0]!.add(sampleJob(`job-${from + index}`))))
          added += 20
        }
        isWhole = true
      }
      /** By the list itself: what is available may be told late. */
      const isAllTaken = async (): Promise<boolean> => isWhole && (await stores[0]!.list()).every(({ status }) => status !== undefined)
      const work = async (index: number): Promise<void> => {
        const store = stores[index % 2]!
        for (let claims = 0; ; claims++) {
          const [next] = await store.available({ accept: () => true, limit: 1 })
          if (next === undefined) {
            if (await isAllTaken()) return
            await sleep(5)
            continue
          }
          const { id } = next.job
          const worker = `w${index}-${claims}`
          const answer = await store.claim(id, () => sampleStatus(id, worker))
          if (answer?.claimed) told.set(id, [...(told.get(id) ?? []), worker])
        }
      }
      await Promise.all([addMore(), ...count(8).map(work)])
    })
    expect(added).toBeGreaterThan(0)
    const list = await stores[0]!.list()
    expect(list).toHaveLength(added)
    expect(told.size).toBe(added)
    for (const { job, status } of list) expect(told.get(job.id)).toEqual([status?.worker])
  })

  test('does every change of a job once, and ends it once', async () => {
    const url = await postgres.createDatabase()
    const store = await open(url)
    const ids = count(8).map((index) => `job-${index}`)
    for (const id of ids) await store.add(sampleJob(id))
    const changes = new Map<string, number>()
    await killDuring((isOver) =>
      Promise.all(
        ids.map(async (id) => {
          await store.claim(id, () => sampleStatus(id))
          let revision = 1
          for (; !isOver(); revision++) await store.change(id, ({ status }) => ({ kind: 'status', status: { ...status!, revision: status!.revision + 1 } }))
          changes.set(id, revision)
          await store.change(id, ({ job, status }) => ({ kind: 'end', ended: { ...samplePerformed(job), status: { ...status!, state: 'performed' } } }))
        }),
      ),
    )
    expect((await store.performed()).map(({ job, status }) => [job.id, status?.revision]).toSorted()).toEqual([...changes].toSorted())
    expect(await store.list()).toEqual([])
  })

  test('ends each job once, and adds each once, whatever answers were lost', async () => {
    const url = await postgres.createDatabase()
    const store = await open(url)
    let rounds = 0
    await killDuring(async (isOver) => {
      const life = async (lane: number): Promise<void> => {
        for (let round = 0; !isOver(); round++) {
          const id = `job-${lane}-${round}`
          await store.add(sampleJob(id), round % 3 === 0 ? { at: 'first' } : undefined)
          await store.change(id, () => ({ kind: 'release', history: sampleHistory() }))
          await store.edit(id, (job) => ({ ...job, maxAttempts: 7 }))
          await store.move(id, { at: 'last' })
          const ended = await store.change(id, ({ job, history }) => ({ kind: 'end', ended: { ...samplePerformed(job), history: history! } }))
          expect(ended?.record.history).toEqual(sampleHistory())
          rounds++
        }
      }
      await Promise.all(count(6).map(life))
    })
    expect(rounds).toBeGreaterThan(0)
    expect(await store.list()).toEqual([])
    expect(new Set((await store.performed()).map(({ job }) => job.id)).size).toBe(rounds)
    expect(await ask(url, 'SELECT count(*)::integer AS ended FROM ingot.ended')).toEqual([{ ended: rounds }])
  })

  test('keeps every line of a log, once and in order', async () => {
    const url = await postgres.createDatabase()
    const store = await open(url)
    let expected = ''
    await store.writePlan('a', samplePlan())
    await killDuring(async (isOver) => {
      for (let line = 0; !isOver(); line++) {
        await store.appendLog('a', `${line}\n`)
        expected += `${line}\n`
      }
    })
    expect(await store.log('a')).toBe(expected)
    expect(await store.plan('a')).toEqual(samplePlan())
  })
})
