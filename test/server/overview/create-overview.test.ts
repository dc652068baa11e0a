import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { MachineEvent } from '../../../server/api/event.ts'
import type { ListedJob } from '../../../server/api/job.ts'
import { withJobDefaults } from '../../../server/api/job.ts'
import type { MachineRecord } from '../../../server/machine-store.ts'
import { createOverview, type Told } from '../../../server/overview/create-overview.ts'

const jobOf = (id: string, more: Partial<ListedJob> = {}): ListedJob => ({ ...withJobDefaults({ id, recipe: 'web' }), state: 'available', attempt: 0, ...more })
const machine: MachineRecord = { id: 'm1', scratchSerials: [], labels: { rack: 'b2' } }

/** An overview over a list and machines that the test changes. */
function watch({ past = [] as readonly MachineEvent[] } = {}) {
  const world = { list: [jobOf('a'), jobOf('b')], machines: [machine], problems: [] as string[] }
  const overview = createOverview({
    jobs: { list: async () => world.list, problems: () => world.problems, follow: () => () => {} },
    machines: { list: async () => world.machines },
    events: { follow: () => () => {}, written: async () => {} },
    histories: { refresh: async () => {}, machines: () => [...new Set(past.map((event) => event.machine))], of: (id) => past.filter((event) => event.machine === id) },
    log: pino({ level: 'silent' }),
  })
  onTestFinished(() => overview.close())
  const follow = async (after?: string) => {
    const told: Told[] = []
    const unfollow = await overview.follow(after, (each) => told.push(each))
    return { told, unfollow, next: (count: number) => vi.waitFor(() => expect(told.length).toBeGreaterThanOrEqual(count), { timeout: 20_000, interval: 20 }) }
  }
  return { world, overview, follow }
}

test('one who follows is told all there is, and then only what changed', async () => {
  const { world, follow } = watch()
  const { told, next } = await follow()
  expect(told).toMatchObject([{ kind: 'snapshot', snapshot: { jobs: [{ id: 'a', work: 'web' }, { id: 'b' }], machines: [{ id: 'm1', state: 'unseen', labels: { rack: 'b2' } }] } }])
  world.list = [jobOf('b', { state: 'selected', attempt: 1, worker: 'm1' }), jobOf('c')]
  await next(2)
  expect(told[1]).toMatchObject({ kind: 'change', change: { jobs: [{ id: 'b', state: 'selected' }, { id: 'c' }], jobsGone: ['a'], order: { at: 1, remove: 0, ids: ['c'] }, machines: [], machinesGone: [] } })
})

test('one who comes back hears what was missed meanwhile, and no more', async () => {
  const { world, follow } = watch()
  const first = await follow()
  const stays = await follow()
  world.list = [jobOf('a'), jobOf('b', { priority: 7 })]
  await stays.next(2)
  const seen = (first.told[0] as Extract<Told, { kind: 'snapshot' }>).snapshot.revision
  const { told } = await follow(seen)
  expect(told).toMatchObject([{ kind: 'change', change: { jobs: [{ id: 'b', priority: 7 }], jobsGone: [] } }])
  const newest = stays.told[1] as Extract<Told, { kind: 'change' }>
  expect((await follow(newest.change.revision)).told).toEqual([])
})

test('one who was away over a restart of the server is told all anew', async () => {
  const { follow } = watch()
  expect((await follow('other-3')).told).toMatchObject([{ kind: 'snapshot' }])
})

test('nothing is looked at while nobody follows', async () => {
  const { world, overview, follow } = watch()
  const { unfollow } = await follow()
  unfollow()
  const before = await overview.snapshot()
  world.list = []
  expect((await overview.snapshot()).revision).not.toBe(before.revision)
})

test('what is wrong with the list is told, and that it is good again', async () => {
  const { world, follow } = watch()
  const { told, next } = await follow()
  world.problems = ['jobs.json line 3: expected a comma']
  await next(2)
  expect(told[1]).toMatchObject({ change: { problems: ['jobs.json line 3: expected a comma'], jobs: [] } })
  world.problems = []
  await next(3)
  expect(told[2]).toMatchObject({ change: { problems: [] } })
})

test('F8 a machine that was heard of before the start, and that nobody has named, is shown where it was', async () => {
  const past: MachineEvent[] = [{ time: '2026-11-23T21:20:00.000Z', machine: 'm2', hop: 'local-disk', address: '10.77.0.9', why: 'it has no job' }]
  const { overview } = watch({ past })
  expect((await overview.snapshot()).machines).toMatchObject([{ id: 'm1' }, { id: 'm2', state: 'settled', address: '10.77.0.9', since: '2026-11-23T21:20:00.000Z' }])
})
