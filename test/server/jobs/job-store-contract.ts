import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Place } from '../../../server/api/job.ts'
import { placeJob } from '../../../server/jobs/place-job.ts'
import type { JobRecord, JobStore } from '../../../server/jobs/job-store.ts'
import type { StoreHome } from './job-scenarios.ts'
import { sampleHistory, sampleJob, samplePerformed, samplePlan, sampleRemoved, sampleStatus } from './sample-job.ts'

const everything = { accept: () => true, limit: 1000 }
const idsOf = (records: readonly JobRecord[]): string[] => records.map(({ job }) => job.id)
const count = (total: number): number[] => Array.from({ length: total }, (_, index) => index)
const fail = () => {
  throw new Error('no')
}

/** What every store of jobs does, whatever it is made of. */
export function describeJobStore(name: string, makeHome: () => Promise<StoreHome>): void {
  describe(name, () => {
    let home: StoreHome
    let store: JobStore
    let opened: JobStore[]
    const open = async (): Promise<JobStore> => {
      const next = await home.open()
      opened.push(next)
      return next
    }
    const addAll = async (...ids: string[]): Promise<void> => {
      for (const id of ids) await store.add(sampleJob(id))
    }
    const listed = async (): Promise<string[]> => idsOf(await store.list())

    beforeEach(async () => {
      opened = []
      home = await makeHome()
      store = await open()
    })
    afterEach(async () => {
      for (const each of opened) await each.close()
      await home.remove()
    })

    test('has nothing to begin with', async () => {
      expect(await store.list()).toEqual([])
      expect(await store.available(everything)).toEqual([])
      expect(await store.assigned()).toEqual([])
      expect(await store.held()).toEqual([])
      expect(await store.performed()).toEqual([])
      expect(await store.isPerformed('a')).toBe(false)
      expect(store.problems()).toEqual([])
      for (const found of [store.read('a'), store.ended('a'), store.plan('a'), store.log('a')]) expect(await found).toBeUndefined()
      expect(await store.claim('a', fail)).toBeUndefined()
      expect(await store.change('a', fail)).toBeUndefined()
    })

    describe('the list', () => {
      test('B4 higher priority goes first, and jobs of one priority keep the order in which they came', async () => {
        await store.add(sampleJob('a'))
        await store.add(sampleJob('b', { priority: 5 }))
        await store.add(sampleJob('c', { priority: -5 }))
        await store.add(sampleJob('d'))
        await store.add(sampleJob('e', { priority: 5 }))
        expect(await listed()).toEqual(['b', 'e', 'a', 'd', 'c'])
        expect(idsOf(await store.available(everything))).toEqual(['b', 'e', 'a', 'd', 'c'])
      })

      test('a job comes back as it was given', async () => {
        const job = sampleJob('a', {
          priority: 7,
          requires: { firmware: 'uefi', labels: { rack: 'b2' } },
          assignedTo: 'm1',
          madeBy: 'schedule:"nightly" ünd',
          createdAt: '2026-11-23T10:00:00.000Z',
        })
        await store.add(job)
        expect(await store.read('a')).toEqual({ job })
        expect(await store.list()).toEqual([{ job }])
      })

      test('a job of an id that is listed is refused, and the one that is there stays as it is', async () => {
        await addAll('a')
        await expect(store.add(sampleJob('a', { recipe: 'other' }))).rejects.toMatchObject({ status: 409 })
        await expect(store.add(sampleJob('a'))).rejects.toMatchObject({ status: 409 })
        expect(await store.list()).toEqual([{ job: sampleJob('a') }])
      })

      test('of many who add the same id at once one succeeds', async () => {
        const other = await open()
        const answers = await Promise.allSettled(count(20).map((index) => (index % 2 === 0 ? store : other).add(sampleJob('a'))))
        expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
        expect(await listed()).toEqual(['a'])
      })

      test('many who add at once on two servers lose none', async () => {
        const other = await open()
        await Promise.all(count(60).map((index) => (index % 2 === 0 ? store : other).add(sampleJob(`job-${index}`))))
        expect((await listed()).toSorted()).toEqual(count(60).map((index) => `job-${index}`).toSorted())
        expect(await other.list()).toEqual(await store.list())
      })

      test.each<[string, Place | undefined, string[], number]>([
        ['last unless told', undefined, ['a', 'b', 'x', 'c'], 0],
        ['last', { at: 'last' }, ['a', 'b', 'x', 'c'], 0],
        ['first, with the highest priority', { at: 'first' }, ['x', 'a', 'b', 'c'], 3],
        ['before another', { before: 'b' }, ['a', 'x', 'b', 'c'], 0],
        ['after another, with its priority', { after: 'c' }, ['a', 'b', 'c', 'x'], -3],
        ['after another of high priority', { after: 'a' }, ['a', 'x', 'b', 'c'], 3],
      ])('a job is added and moved: %s', async (_, where, order, priority) => {
        await store.add(sampleJob('a', { priority: 3 }))
        await store.add(sampleJob('b'))
        await store.add(sampleJob('c', { priority: -3 }))
        await store.add(sampleJob('x'), where)
        expect(await listed()).toEqual(order)
        expect((await store.read('x'))?.job).toEqual(sampleJob('x', { priority }))

        await store.change('x', ({ job }) => ({ kind: 'end', ended: sampleRemoved(job) }))
        await store.add(sampleJob('x'), { before: 'b' })
        expect(await store.move('x', where ?? { at: 'last' })).toEqual(sampleJob('x', { priority }))
        expect(await listed()).toEqual(order)
        expect((await store.read('x'))?.job.priority).toBe(priority)
        expect(idsOf(await store.available(everything))).toEqual(order)
      })

      test('a place beside a job that is not listed is refused, and nothing changes', async () => {
        await addAll('a', 'b')
        await expect(store.add(sampleJob('x'), { before: 'gone' })).rejects.toMatchObject({ status: 404 })
        await expect(store.move('a', { after: 'gone' })).rejects.toMatchObject({ status: 404 })
        await expect(store.move('gone', { after: 'a' })).rejects.toMatchObject({ status: 404 })
        await expect(store.move('gone', { at: 'first' })).rejects.toMatchObject({ status: 404 })
        expect(await listed()).toEqual(['a', 'b'])
      })

      test('jobs placed at random stand as they would in one array', async () => {
        const ids = ['a', 'b', 'c', 'd', 'e', 'f']
        const anId = fc.constantFrom(...ids)
        const aPlace: fc.Arbitrary<Place> = fc.oneof(
          fc.constantFrom<Place>({ at: 'first' }, { at: 'last' }),
          anId.map((before) => ({ before })),
          anId.map((after) => ({ after })),
        )
        const moves = fc.array(fc.record({ id: anId, place: aPlace }), { minLength: 10, maxLength: 25 })
        await fc.assert(
          fc.asyncProperty(fc.array(fc.integer({ min: -1, max: 1 }), { minLength: 6, maxLength: 6 }), moves, async (priorities, asked) => {
            let expected = ids.map((id, index) => sampleJob(id, { priority: priorities[index]! }))
            for (const { job } of await store.list()) await store.change(job.id, () => ({ kind: 'end', ended: sampleRemoved(job) }))
            for (const job of expected) await store.add(job)
            for (const { id, place } of asked) {
              if (('before' in place && place.before === id) || ('after' in place && place.after === id)) continue
              expected = placeJob(expected.filter((each) => each.id !== id), expected.find((each) => each.id === id)!, place)
              await store.move(id, place)
            }
            const inOrder = expected.toSorted((one, other) => other.priority - one.priority)
            expect((await store.list()).map(({ job }) => job)).toEqual(inOrder)
          }),
          { numRuns: 10 },
        )
      })

      test('two jobs moved before one another again and again stay in order', async () => {
        await addAll('first', 'a', 'b', 'last')
        for (const index of count(120)) await store.move(index % 2 === 0 ? 'b' : 'a', { before: index % 2 === 0 ? 'a' : 'b' })
        expect(await listed()).toEqual(['first', 'a', 'b', 'last'])
        await store.add(sampleJob('c'))
        expect(await listed()).toEqual(['first', 'a', 'b', 'last', 'c'])
      })

      test('a job is edited and keeps its place among those of its new priority', async () => {
        await addAll('a', 'b', 'c')
        await store.edit('c', (job) => ({ ...job, priority: 1 }))
        expect(await store.edit('a', (job) => ({ ...job, priority: 1, maxAttempts: 9 }))).toEqual(sampleJob('a', { priority: 1, maxAttempts: 9 }))
        expect(await listed()).toEqual(['a', 'c', 'b'])
        expect((await store.read('a'))?.job).toEqual(sampleJob('a', { priority: 1, maxAttempts: 9 }))
        await expect(store.edit('gone', (job) => job)).rejects.toMatchObject({ status: 404 })
        await expect(store.edit('b', fail)).rejects.toThrow('no')
        expect((await store.read('b'))?.job).toEqual(sampleJob('b'))
      })

      test('edits of one job at the same time on two servers lose none', async () => {
        const other = await open()
        await store.add(sampleJob('a', { timeLimitSeconds: 1 }))
        await Promise.all(count(30).map((index) => (index % 2 === 0 ? store : other).edit('a', (job) => ({ ...job, timeLimitSeconds: job.timeLimitSeconds + 1 }))))
        expect((await store.read('a'))?.job.timeLimitSeconds).toBe(31)
      })

      test('an edited job keeps its status and history', async () => {
        await addAll('a')
        await store.change('a', () => ({ kind: 'release', history: sampleHistory() }))
        await store.claim('a', () => sampleStatus('a', 'w2'))
        await store.edit('a', (job) => ({ ...job, priority: 2 }))
        await store.move('a', { at: 'last' })
        expect(await store.read('a')).toEqual({ job: sampleJob('a', { priority: 2 }), status: sampleStatus('a', 'w2'), history: sampleHistory() })
      })
    })

    describe('a claim', () => {
      test('B14 makes the status of a job that has none, from the record as it stands', async () => {
        await addAll('a')
        await store.change('a', () => ({ kind: 'release', history: sampleHistory() }))
        const seen: JobRecord[] = []
        const answer = await store.claim('a', (record) => {
          seen.push(record)
          return sampleStatus('a')
        })
        expect(answer).toEqual({ claimed: true, status: sampleStatus('a') })
        expect(seen).toEqual([{ job: sampleJob('a'), history: sampleHistory() }])
        expect(await store.read('a')).toEqual({ job: sampleJob('a'), status: sampleStatus('a'), history: sampleHistory() })
      })

      test('B8 is refused while there is a status, whatever its state, and is told of it', async () => {
        await addAll('a')
        const first = sampleStatus('a', 'w1')
        await store.claim('a', () => first)
        expect(await store.claim('a', () => sampleStatus('a', 'w2'))).toEqual({ claimed: false, status: first })
        for (const state of ['running', 'failed', 'cancelled'] as const) {
          await store.change('a', () => ({ kind: 'status', status: { ...first, state } }))
          expect(await store.claim('a', () => sampleStatus('a', 'w2'))).toEqual({ claimed: false, status: { ...first, state } })
        }
      })

      test('that asks again finds itself', async () => {
        await addAll('a')
        await store.claim('a', () => sampleStatus('a', 'w1'))
        const now = sampleStatus('a', 'w1', { claimedAt: '2026-11-23T10:00:05.000Z' })
        expect(await store.claim('a', () => now)).toEqual({ claimed: true, status: sampleStatus('a', 'w1') })
        expect((await store.read('a'))?.status).toEqual(sampleStatus('a', 'w1'))
      })

      test('passes on what is thrown, and writes nothing', async () => {
        await addAll('a')
        await expect(store.claim('a', fail)).rejects.toThrow('no')
        expect(await store.read('a')).toEqual({ job: sampleJob('a') })
        expect(idsOf(await store.available(everything))).toEqual(['a'])
      })

      test('B15 succeeds for one of a hundred at the same time on two servers', async () => {
        const stores = [store, await open()]
        await addAll('a')
        const answers = await Promise.all(count(100).map((index) => stores[index % 2]!.claim('a', () => sampleStatus('a', `w${index}`))))
        const winner = answers.filter((answer) => answer?.claimed)
        expect(winner).toHaveLength(1)
        for (const answer of answers) expect(answer?.status).toEqual(winner[0]?.status)
        expect((await store.read('a'))?.status).toEqual(winner[0]?.status)
      })

      test('B8 many workers on two servers take every job once', async () => {
        const stores = [store, await open()]
        await addAll(...count(40).map((index) => `job-${index}`))
        const taken: string[] = []
        const work = async (index: number): Promise<void> => {
          for (;;) {
            const [next] = await stores[index % 2]!.available({ ...everything, limit: 1 })
            if (next === undefined) return
            const answer = await stores[index % 2]!.claim(next.job.id, () => sampleStatus(next.job.id, `w${index}`))
            if (answer?.claimed) taken.push(`${next.job.id} w${index}`)
          }
        }
        await Promise.all(count(8).map(work))
        expect(taken).toHaveLength(40)
        expect((await store.list()).map(({ status }) => `${status?.job} ${status?.worker}`).toSorted()).toEqual(taken.toSorted())
      })

      test('of a job that is taken off at the same time comes before that or not at all', async () => {
        const other = await open()
        const ids = count(30).map((index) => `job-${index}`)
        await addAll(...ids)
        const outcomes = await Promise.all(
          ids.map(async (id) => {
            const [claim, removal] = await Promise.all([
              store.claim(id, () => sampleStatus(id)),
              other.change(id, ({ job, status }) => (status === undefined ? { kind: 'end' as const, ended: sampleRemoved(job) } : { kind: 'keep' as const })),
            ])
            return { claimed: claim?.claimed ?? false, removed: removal?.change.kind === 'end', listed: (await store.read(id)) !== undefined }
          }),
        )
        for (const { claimed, removed, listed } of outcomes) expect({ claimed, listed }).toEqual({ claimed: !removed, listed: !removed })
      })
    })

    describe('a change', () => {
      test('is decided over the record as it stands, and told with it', async () => {
        const other = await open()
        await addAll('a')
        await store.claim('a', () => sampleStatus('a'))
        const running = sampleStatus('a', 'w1', { state: 'running', revision: 2 })
        const done = await other.change('a', ({ status }) => ({ kind: 'status', status: { ...status!, state: 'running', revision: 2 } }))
        expect(done).toEqual({ record: { job: sampleJob('a'), status: sampleStatus('a') }, change: { kind: 'status', status: running } })
        expect((await store.read('a'))?.status).toEqual(running)
      })

      test('that keeps or throws changes nothing', async () => {
        await addAll('a')
        await store.claim('a', () => sampleStatus('a'))
        expect(await store.change('a', () => ({ kind: 'keep' }))).toEqual({ record: { job: sampleJob('a'), status: sampleStatus('a') }, change: { kind: 'keep' } })
        await expect(store.change('a', fail)).rejects.toThrow('no')
        expect(await store.read('a')).toEqual({ job: sampleJob('a'), status: sampleStatus('a') })
      })

      test('has nobody in between: of many at the same time on two servers none is lost', async () => {
        const stores = [store, await open()]
        await addAll('a')
        await store.claim('a', () => sampleStatus('a'))
        const answers = await Promise.all(
          count(60).map((index) =>
            stores[index % 2]!.change('a', ({ status }) => ({ kind: 'status', status: { ...status!, revision: status!.revision + 1 }, durable: index % 3 === 0 })),
          ),
        )
        expect((await store.read('a'))?.status?.revision).toBe(61)
        expect(answers.map((answer) => answer!.record.status!.revision).toSorted((one, other) => one - other)).toEqual(count(60).map((index) => index + 1))
      })

      test('keeps whatever characters a program said last', async () => {
        await addAll('a')
        const failure = { step: 'install-packages', message: 'null \u0000, half a pair \ud800, \u{1f4a5} "\\', lastLines: ['\u001b[31m'] }
        await store.change('a', () => ({ kind: 'status', status: sampleStatus('a', 'w1', { state: 'failed', failure }) }))
        expect((await store.read('a'))?.status?.failure).toEqual(failure)
      })

      test('that makes a status of an available job takes it out of those', async () => {
        await addAll('a', 'b')
        expect(idsOf(await store.available(everything))).toEqual(['a', 'b'])
        await store.change('a', () => ({ kind: 'status', status: sampleStatus('a', 'nobody', { state: 'cancelled' }) }))
        expect(idsOf(await store.available(everything))).toEqual(['b'])
        expect(await store.claim('a', () => sampleStatus('a', 'w2'))).toMatchObject({ claimed: false })
      })

      test('B9 that releases makes the job available again, with its history', async () => {
        await addAll('a', 'b')
        await store.claim('a', () => sampleStatus('a'))
        await store.change('a', () => ({ kind: 'release', history: sampleHistory() }))
        expect(await store.read('a')).toEqual({ job: sampleJob('a'), history: sampleHistory() })
        expect(await store.available(everything)).toEqual([{ job: sampleJob('a'), history: sampleHistory() }, { job: sampleJob('b') }])
        expect(await store.claim('a', () => sampleStatus('a', 'w2'))).toMatchObject({ claimed: true })
        await store.change('a', () => ({ kind: 'release', history: sampleHistory('w2') }))
        expect((await store.read('a'))?.history).toEqual(sampleHistory('w2'))
      })

      test('that releases without a history drops it', async () => {
        await addAll('a')
        await store.change('a', () => ({ kind: 'release', history: sampleHistory() }))
        await store.claim('a', () => sampleStatus('a'))
        await store.change('a', () => ({ kind: 'release' }))
        expect(await store.read('a')).toEqual({ job: sampleJob('a') })
      })
    })

    describe('the end of a job', () => {
      test('B10 performed: it leaves the list and is kept', async () => {
        await addAll('a', 'b')
        const ended = { ...samplePerformed(sampleJob('a')), history: sampleHistory() }
        await store.claim('a', () => sampleStatus('a'))
        await store.change('a', () => ({ kind: 'end', ended }))
        expect(await listed()).toEqual(['b'])
        expect(await store.read('a')).toBeUndefined()
        expect(await store.held()).toEqual([])
        expect(await store.ended('a')).toEqual(ended)
        expect(await store.performed()).toEqual([ended])
        expect(await store.isPerformed('a')).toBe(true)
        expect(await store.isPerformed('b')).toBe(false)
        expect(await store.claim('a', () => sampleStatus('a', 'w2'))).toBeUndefined()
      })

      test('removed: it leaves the list and is kept, and is not performed', async () => {
        await addAll('a')
        await store.change('a', ({ job }) => ({ kind: 'end', ended: sampleRemoved(job) }))
        expect(await listed()).toEqual([])
        expect(await store.ended('a')).toEqual(sampleRemoved(sampleJob('a')))
        expect(await store.performed()).toEqual([])
        expect(await store.isPerformed('a')).toBe(false)
      })

      test('happens once, whoever else decides the same at that moment', async () => {
        const stores = [store, await open()]
        await addAll('a')
        const answers = await Promise.all(count(10).map((index) => stores[index % 2]!.change('a', ({ job }) => ({ kind: 'end', ended: sampleRemoved(job) }))))
        expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1)
      })

      test('of several jobs of one id: each performed version is kept, oldest first, and the last is told', async () => {
        const ends = [
          samplePerformed(sampleJob('a'), { imageVersion: 'a', endedAt: '2026-11-23T11:00:00.000Z' }),
          samplePerformed(sampleJob('b'), { imageVersion: 'b', endedAt: '2026-11-23T12:00:00.000Z' }),
          samplePerformed(sampleJob('a'), { imageVersion: 'a_2', endedAt: '2026-11-23T13:00:00.000Z' }),
          sampleRemoved(sampleJob('a'), '2026-11-23T14:00:00.000Z'),
          sampleRemoved(sampleJob('a'), '2026-11-23T15:00:00.000Z'),
        ]
        for (const ended of ends) {
          await addAll(ended.job.id)
          await store.change(ended.job.id, () => ({ kind: 'end', ended }))
          expect(await store.ended(ended.job.id)).toEqual(ended)
        }
        expect(await store.performed()).toEqual(ends.slice(0, 3))
        expect(await store.isPerformed('a_2')).toBe(true)
      })

      test('makes way: an old record does not hide a new job of that id', async () => {
        await addAll('a')
        await store.writePlan('a', samplePlan('old'))
        await store.change('a', () => ({ kind: 'release', history: sampleHistory() }))
        await store.claim('a', () => sampleStatus('a'))
        await store.appendLog('a', 'old\n')
        await store.change('a', () => ({ kind: 'end', ended: samplePerformed(sampleJob('a')) }))
        expect(await store.plan('a')).toBeUndefined()
        expect(await store.log('a')).toBe('old\n')

        // Its script is made before it is put on the list.
        await store.writePlan('a', samplePlan('new'))
        await store.add(sampleJob('a'))
        expect(await store.read('a')).toEqual({ job: sampleJob('a') })
        expect(idsOf(await store.available(everything))).toEqual(['a'])
        expect(await store.log('a')).toBeUndefined()
        expect(await store.plan('a')).toEqual(samplePlan('new'))
        expect(await store.claim('a', () => sampleStatus('a', 'w2'))).toMatchObject({ claimed: true })
        expect(await store.isPerformed('a')).toBe(true)
      })
    })

    describe('of the available jobs', () => {
      test('it gives the first that are accepted, and no more than asked for', async () => {
        await addAll(...count(10).map((index) => `job-${index}`))
        expect(idsOf(await store.available({ accept: ({ job }) => Number(job.id.slice(4)) % 2 === 1, limit: 3 }))).toEqual(['job-1', 'job-3', 'job-5'])
        expect(await store.available({ accept: () => false, limit: 3 })).toEqual([])
        expect(idsOf(await store.available({ ...everything, limit: 1 }))).toEqual(['job-0'])
      })

      test('it looks as far down a long list as it has to', async () => {
        await Promise.all(count(350).map((index) => store.add(sampleJob(`job-${index}`))))
        await store.add(sampleJob('wanted', { priority: -1 }))
        expect(idsOf(await store.available({ accept: ({ job }) => job.id === 'wanted', limit: 5 }))).toEqual(['wanted'])
        expect(idsOf(await store.available(everything))).toEqual(await listed())
      })

      test('those that are taken are not there, at once on this server and soon on others', async () => {
        const other = await open()
        await addAll('a', 'b', 'c')
        await vi.waitFor(async () => expect(idsOf(await other.available(everything))).toEqual(['a', 'b', 'c']), { timeout: 20_000 })
        expect(idsOf(await store.available(everything))).toEqual(['a', 'b', 'c'])
        await store.claim('a', () => sampleStatus('a'))
        await store.change('c', ({ job }) => ({ kind: 'end', ended: sampleRemoved(job) }))
        expect(idsOf(await store.available(everything))).toEqual(['b'])
        await vi.waitFor(async () => expect(idsOf(await other.available(everything))).toEqual(['b']), { timeout: 20_000 })
      })

      test('B18 those that are assigned to a machine stand apart', async () => {
        await addAll('a')
        await store.add(sampleJob('b', { assignedTo: 'm1' }))
        await store.add(sampleJob('c', { assignedTo: 'm2', priority: 1 }))
        await store.add(sampleJob('d', { assignedTo: 'm1' }))
        await store.claim('d', () => sampleStatus('d'))
        expect(idsOf(await store.available(everything))).toEqual(['a'])
        expect(idsOf(await store.assigned())).toEqual(['c', 'b'])
        await store.edit('a', (job) => ({ ...job, assignedTo: 'm3' }))
        await store.edit('c', ({ assignedTo: _, ...job }) => job)
        expect(idsOf(await store.available(everything))).toEqual(['c'])
        expect(idsOf(await store.assigned())).toEqual(['a', 'b'])
      })
    })

    test('held are the jobs that a worker has claimed or runs', async () => {
      await addAll('free', 'claimed', 'running', 'failed', 'cancelled')
      for (const state of ['claimed', 'running', 'failed', 'cancelled'] as const) await store.change(state, () => ({ kind: 'status', status: sampleStatus(state, 'w1', { state }) }))
      const held = await store.held()
      expect(idsOf(held).toSorted()).toEqual(['claimed', 'running'])
      expect(held.find(({ job }) => job.id === 'running')).toEqual({ job: sampleJob('running'), status: sampleStatus('running', 'w1', { state: 'running' }) })
    })

    describe('those who follow', () => {
      const told = (by: JobStore): Promise<void> => {
        const { promise, resolve } = Promise.withResolvers<void>()
        by.follow(resolve)
        return promise
      }

      test.each<[string, (by: JobStore) => Promise<unknown>]>([
        ['an added job', (by) => by.add(sampleJob('x'))],
        ['an edited job', (by) => by.edit('a', (job) => ({ ...job, priority: 3 }))],
        ['a moved job', (by) => by.move('a', { at: 'last' })],
        ['a released job', (by) => by.change('a', () => ({ kind: 'release' }))],
        ['an ended job', (by) => by.change('a', ({ job }) => ({ kind: 'end', ended: sampleRemoved(job) }))],
      ])('are told of %s, here and on another server', async (_, act) => {
        await addAll('a', 'b')
        await store.claim('a', () => sampleStatus('a'))
        const other = await open()
        const both = Promise.all([told(store), told(other)])
        await act(store)
        await both
      })

      test('are told of nothing once they have left', async () => {
        const calls: string[] = []
        const leave = store.follow(() => calls.push('left'))
        store.follow(() => calls.push('stays'))
        leave()
        await addAll('a')
        expect(calls).toContain('stays')
        expect(calls).not.toContain('left')
      })
    })

    describe('beside the list', () => {
      test('a plan is kept, and replaced', async () => {
        await store.writePlan('a', samplePlan('one'))
        await store.writePlan('a', samplePlan('two'))
        expect(await store.plan('a')).toEqual(samplePlan('two'))
        expect(await store.plan('b')).toBeUndefined()
      })

      test('a log grows, of whatever characters', async () => {
        const other = await open()
        await store.appendLog('a', 'eins\n')
        await other.appendLog('a', 'zwei \u0000 \u001b[1mü\u{1f4a5}\n')
        await store.appendLog('b', 'other\n')
        await store.appendLog('a', 'drei')
        expect(await other.log('a')).toBe('eins\nzwei \u0000 \u001b[1mü\u{1f4a5}\ndrei')
      })
    })

    test('what was written is there when it is opened again', async () => {
      await addAll('a', 'b', 'c')
      await store.move('c', { at: 'first' })
      await store.change('a', () => ({ kind: 'release', history: sampleHistory() }))
      await store.claim('b', () => sampleStatus('b'))
      await store.change('b', ({ status }) => ({ kind: 'status', status: { ...status!, revision: 2 }, durable: false }))
      await store.change('c', () => ({ kind: 'end', ended: samplePerformed(sampleJob('c')) }))
      await store.writePlan('a', samplePlan())
      await store.appendLog('a', 'line\n')
      const before = await store.list()
      await store.close()
      opened = []
      store = await open()
      expect(await store.list()).toEqual(before)
      expect(before).toEqual([{ job: sampleJob('a'), history: sampleHistory() }, { job: sampleJob('b'), status: sampleStatus('b', 'w1', { revision: 2 }) }])
      expect(idsOf(await store.held())).toEqual(['b'])
      expect(idsOf(await store.available(everything))).toEqual(['a'])
      expect(await store.performed()).toEqual([samplePerformed(sampleJob('c'))])
      expect(await store.plan('a')).toEqual(samplePlan())
      expect(await store.log('a')).toBe('line\n')
    })
  })
}
