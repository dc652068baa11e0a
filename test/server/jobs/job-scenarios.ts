import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Plan } from '../../../images/plan.ts'
import { withJobDefaults, type Job } from '../../../server/api/job.ts'
import type { NewMachineEvent } from '../../../server/event-log.ts'
import { createJobService, type JobService, type JobServiceOptions } from '../../../server/jobs/job-service.ts'
import type { JobStore } from '../../../server/jobs/job-store.ts'
import type { KnownMachine } from '../../../server/jobs/unmet-requirements.ts'
import { completeJob } from './complete-job.ts'

export const newClaim = (): string => randomBytes(32).toString('base64url')
const digest = `sha256:${'1'.repeat(64)}`
const none = { name: 't', digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 0 }
/** What a job that deploys an image becomes. */
const deployment: Plan = {
  ...{ version: 1, recipe: { name: 'r', digest: 'd' }, architecture: 'amd64', firmware: ['bios'], tools: none, proof: 'none' },
  steps: [{ kind: 'write-image', image: 'disk', version: 'disk-1', digest, disk: {}, sectorBytes: 512 }, { kind: 'grow-disk' }],
}
const plan: Plan = { version: 1, recipe: { name: 'r', digest: 'd' }, architecture: 'amd64', firmware: ['bios'], tools: none, steps: [{ kind: 'image', image: 'disk' }], proof: 'none' }

/** One set of data with any number of servers on it, at the same time or one after the other. */
export interface StoreHome {
  open(): Promise<JobStore>
  remove(): Promise<void>
}

/** What the life of jobs promises, on any store: the stories that went wrong elsewhere. */
export function describeJobScenarios(name: string, makeHome: () => Promise<StoreHome>): void {
  describe(`the life of jobs on ${name}`, () => {
    let home: StoreHome
    let services: JobService[]
    let events: NewMachineEvent[]
    let published: Map<string, string>
    let machines: KnownMachine[]
    const clock = { ms: 0, wallMs: 0 }
    const pass = (ms: number) => Object.assign(clock, { ms: clock.ms + ms, wallMs: clock.wallMs + ms })

    beforeEach(async () => {
      home = await makeHome()
      services = []
      events = []
      published = new Map()
      machines = []
      Object.assign(clock, { ms: 0, wallMs: Date.parse('2026-11-24T12:00:00Z') })
    })
    afterEach(async () => {
      for (const each of services) await each.close()
      await home.remove()
    })

    const serve = async (own: Partial<JobServiceOptions> = {}): Promise<JobService> => {
      const jobs = createJobService({
        store: await home.open(),
        makePlan: async () => plan,
        emit: (event) => void events.push(event),
        machines: { read: async (id) => machines.find((each) => each.id === id) ?? { id }, list: async () => machines },
        publishedDigest: async (image, version) => published.get(`${image}:${version}`),
        now: () => clock.wallMs,
        monotonic: () => clock.ms,
        backoff: { firstMs: 30_000, mostMs: 600_000 },
        reclaimEveryMs: 1_000_000,
        ...own,
      })
      services.push(jobs)
      return jobs
    }
    const stop = async (jobs: JobService) => {
      services.splice(services.indexOf(jobs), 1)
      await jobs.close()
    }
    const add = async (jobs: JobService, id: string, more: Partial<Job> = {}) => jobs.add(withJobDefaults({ id, recipe: 'r', ...more }))
    const claim = async (jobs: JobService, id: string, worker = 'm1') => {
      const token = newClaim()
      await jobs.claim(id, { worker, server: 'http://s' }, token)
      return token
    }
    const states = async (jobs: JobService) => (await jobs.list()).map(({ id, state }) => `${id} ${state}`)
    const status = (code: number) => ({ status: code })

    /** Everything that a claim is good for is refused. */
    const expectRefused = async (jobs: JobService, id: string, token: string, codes: number[] = [409, 410]) => {
      const version = id
      const attempts = [
        jobs.report(id, { state: 'running' }, token, '*'),
        jobs.appendLog(id, 'x', token),
        jobs.mayPublish(id, 'disk', undefined, token),
        jobs.mayPublish(id, 'disk', version, token),
        jobs.giveBack(id, token),
      ]
      const refused = await Promise.allSettled(attempts)
      for (const each of refused) expect(each.status === 'rejected' ? codes.includes((each.reason as { status: number }).status) : 'taken').toBe(true)
    }

    test('B10 a job whose image was received leaves the list and is kept as performed, with its history', async () => {
      const jobs = await serve()
      await add(jobs, 'a')
      const lost = await claim(jobs, 'a', 'm1')
      await jobs.giveBack('a', lost)
      const token = await claim(jobs, 'a', 'm2')
      await jobs.mayPublish('a', 'disk', 'a', token)
      await completeJob(jobs, 'a', digest, token)
      expect(await jobs.list()).toEqual([])
      expect(await jobs.performed()).toMatchObject([
        { job: { id: 'a' }, end: 'performed', status: { state: 'performed', worker: 'm2', attempt: 2, imageDigest: digest }, history: { attempts: [{ worker: 'm1', loss: 'given-back' }] } },
      ])
      expect(await jobs.show('a')).toMatchObject({ end: 'performed' })
      expect((await jobs.status('a')).state).toBe('performed')
      expect(events.map(({ hop }) => hop)).toEqual(['claim', 'lost', 'claim', 'performed'])
    })

    test('a worker may keep what its job keeps of the first steps, under the tag of that alone', async () => {
      const tag = `_steps-${'1'.repeat(64)}`
      const jobs = await serve({ makePlan: async () => ({ ...plan, steps: [{ kind: 'snapshot', image: 'disk', tag }, ...plan.steps] }) })
      await add(jobs, 'a')
      const token = await claim(jobs, 'a')
      await jobs.mayPublish('a', 'disk', tag, token)
      await jobs.mayPublish('a', 'disk', 'a', token)
      for (const other of [`_steps-${'2'.repeat(64)}`, 'b']) await expect(jobs.mayPublish('a', 'disk', other, token)).rejects.toMatchObject(status(409))
    })

    test('an answer to the manifest that was lost is given again, and the job stays performed once', async () => {
      const jobs = await serve()
      await add(jobs, 'a')
      const token = await claim(jobs, 'a')
      await completeJob(jobs, 'a', digest, token)
      await jobs.mayPublish('a', 'disk', 'a', token)
      await completeJob(jobs, 'a', digest, token)
      expect(await jobs.performed()).toHaveLength(1)
    })

    test('B9 a silent worker loses its job, which waits a while and then is another’s; attempts are counted', async () => {
      const jobs = await serve()
      await add(jobs, 'a')
      const first = await claim(jobs, 'a', 'm1')
      await jobs.reclaim()
      pass(61_000)
      await jobs.reclaim()
      expect(await states(jobs)).toEqual(['a waiting'])
      await expect(claim(jobs, 'a', 'm2')).rejects.toMatchObject(status(409))
      await expectRefused(jobs, 'a', first)
      pass(30_000)
      expect(await states(jobs)).toEqual(['a available'])
      const second = await claim(jobs, 'a', 'm2')
      expect(await jobs.status('a')).toMatchObject({ worker: 'm2', attempt: 2 })
      await expectRefused(jobs, 'a', first)
      await jobs.report('a', { state: 'running' }, second, '*')
    })

    test('B9 a job that was lost as often as it may be has failed, and tells why', async () => {
      const jobs = await serve()
      await add(jobs, 'a', { maxAttempts: 2 })
      for (let attempt = 1; attempt <= 2; attempt++) {
        await claim(jobs, 'a')
        await jobs.reclaim()
        pass(61_000)
        await jobs.reclaim()
        pass(600_000)
      }
      expect(await states(jobs)).toEqual(['a failed'])
      expect(await jobs.status('a')).toMatchObject({ attempt: 2, failure: { message: 'the worker gave no sign of life for 60 s; attempt 2 of 2' } })
      await jobs.retry('a')
      expect(await states(jobs)).toEqual(['a available'])
      await claim(jobs, 'a')
      expect(await jobs.status('a')).toMatchObject({ attempt: 1 })
    })

    test('B9 a lost job leaves the list when it says so', async () => {
      const jobs = await serve()
      await add(jobs, 'a', { whenLost: 'remove', timeLimitSeconds: 100 })
      const token = await claim(jobs, 'a')
      await jobs.reclaim()
      pass(100_000)
      await jobs.reclaim()
      expect(await jobs.list()).toEqual([])
      expect(await jobs.show('a')).toMatchObject({ end: 'removed', attempts: [{ loss: 'time-limit' }] })
      await expectRefused(jobs, 'a', token)
    })

    test('a cancelled job whose worker still sends heartbeats refuses them all and stays cancelled', async () => {
      const jobs = await serve()
      await add(jobs, 'a')
      const token = await claim(jobs, 'a')
      await jobs.cancel('a')
      for (let beat = 0; beat < 3; beat++) await expectRefused(jobs, 'a', token)
      expect(await states(jobs)).toEqual(['a cancelled'])
      await expect(claim(jobs, 'a')).rejects.toMatchObject(status(412))
      expect(events.at(-1)).toMatchObject({ hop: 'lost', loss: 'cancelled', machine: 'm1' })
    })

    test('a job that nobody held is taken by nobody once it is cancelled', async () => {
      const jobs = await serve()
      await add(jobs, 'a')
      await jobs.cancel('a')
      expect(await jobs.offers({ worker: 'm1', limit: 4 })).toEqual([])
      await expect(claim(jobs, 'a')).rejects.toMatchObject(status(412))
      await jobs.retry('a')
      await claim(jobs, 'a')
    })

    test('a removed job is refused to its worker, and the next job of that name is a new one', async () => {
      const jobs = await serve()
      await add(jobs, 'a')
      const token = await claim(jobs, 'a')
      await jobs.remove('a')
      await expectRefused(jobs, 'a', token, [410])
      await add(jobs, 'a')
      expect(await states(jobs)).toEqual(['a available'])
      await expectRefused(jobs, 'a', token)
      expect(await jobs.show('a')).toMatchObject({ attempts: [] })
    })

    test('an old record does not hide a new job: an id is performed again under the next version', async () => {
      const jobs = await serve()
      for (const version of ['a', 'a_2', 'a_3']) {
        await add(jobs, 'a')
        expect(await states(jobs)).toEqual(['a available'])
        const token = await claim(jobs, 'a')
        expect((await jobs.status('a')).imageVersion).toBe(version)
        await completeJob(jobs, 'a', digest, token)
      }
      expect((await jobs.performed()).map((each) => each.status?.imageVersion)).toEqual(['a', 'a_2', 'a_3'])
    })

    test('a reclaimed worker that comes back and uploads is refused, and the one that has the job now is not disturbed', async () => {
      const jobs = await serve()
      await add(jobs, 'a')
      const late = await claim(jobs, 'a', 'm1')
      await jobs.reclaim()
      pass(61_000)
      await jobs.reclaim()
      pass(30_000)
      const present = await claim(jobs, 'a', 'm2')
      await expectRefused(jobs, 'a', late)
      await jobs.mayPublish('a', 'disk', 'a', present)
      await completeJob(jobs, 'a', digest, present)
      expect(await jobs.performed()).toMatchObject([{ status: { worker: 'm2' } }])
    })

    test('a job whose image became visible while its server died is performed, and not done again', async () => {
      const jobs = await serve()
      await add(jobs, 'a')
      await jobs.plan('a')
      await claim(jobs, 'a')
      published.set('disk:a', digest)
      await jobs.reclaim()
      pass(61_000)
      await jobs.reclaim()
      expect(await jobs.list()).toEqual([])
      expect(await jobs.performed()).toMatchObject([{ status: { imageDigest: digest } }])
    })

    test('a server that restarts with a hundred claims open goes on with them all', async () => {
      const before = await serve()
      for (let number = 0; number < 100; number++) await add(before, `j${number}`)
      const tokens = await Promise.all(Array.from({ length: 100 }, (_, number) => claim(before, `j${number}`, `m${number}`)))
      await stop(before)
      pass(3 * 3_600_000)
      const after = await serve()
      await after.reclaim()
      expect(new Set(await states(after))).toEqual(new Set(tokens.map((_, number) => `j${number} selected`)))
      await Promise.all(tokens.map((token, number) => after.report(`j${number}`, {}, token, '*')))
      await after.reclaim()
      pass(50_000)
      await after.reclaim()
      await completeJob(after, 'j0', digest, tokens[0]!)
      pass(15_000)
      await after.reclaim()
      // The silence of the other 99 began with their last sign of life, 65 s ago.
      expect((await states(after)).filter((line) => line.endsWith('waiting'))).toHaveLength(99)
    })

    test('F4 the clock of the host steps forward and back, and no claim ends by it', async () => {
      const jobs = await serve()
      await add(jobs, 'a')
      const token = await claim(jobs, 'a')
      await jobs.reclaim()
      clock.wallMs += 48 * 3_600_000
      await jobs.reclaim()
      await jobs.report('a', {}, token, '*')
      clock.wallMs -= 96 * 3_600_000
      await jobs.reclaim()
      await jobs.report('a', {}, token, '*')
      expect(await states(jobs)).toEqual(['a selected'])
    })

    test('B4 offers come by priority and then in the user’s order', async () => {
      const jobs = await serve()
      await add(jobs, 'a')
      await add(jobs, 'b', { priority: 5 })
      await add(jobs, 'c', { priority: 5 })
      await jobs.move('c', { before: 'b' })
      expect((await jobs.offers({ worker: 'm1', limit: 4 })).map(({ id }) => id)).toEqual(['c', 'b', 'a'])
    })

    test('B18 a job that was pushed to a machine goes there before all else, and to nobody else', async () => {
      const jobs = await serve()
      await add(jobs, 'a', { priority: 100 })
      await add(jobs, 'b')
      await jobs.assign('b', 'm2')
      expect((await jobs.offers({ worker: 'm2', limit: 4 })).map(({ id }) => id)).toEqual(['b', 'a'])
      expect((await jobs.offers({ worker: 'm1', limit: 4 })).map(({ id }) => id)).toEqual(['a'])
      await expect(claim(jobs, 'b', 'm1')).rejects.toMatchObject(status(409))
      await claim(jobs, 'b', 'm2')
    })

    test('the first in the queue powers off: what it was offered goes to the next, who waits', async () => {
      const jobs = await serve()
      const offered: string[] = []
      const first = jobs.offers({ worker: 'm1', limit: 1, waitMs: 60_000 }).then(() => offered.push('m1'))
      const second = jobs.offers({ worker: 'm2', limit: 1, waitMs: 60_000 }).then(() => offered.push('m2'))
      await add(jobs, 'a')
      await first
      expect(offered).toEqual(['m1'])
      // It never claims.
      await second
      expect(offered).toEqual(['m1', 'm2'])
      await claim(jobs, 'a', 'm2')
    })

    test('a worker that waits at one server is told of a job that was added at another', async () => {
      const [one, other] = [await serve(), await serve()]
      const waiting = one.offers({ worker: 'm1', limit: 1, waitMs: 60_000 })
      await add(other, 'a')
      expect((await waiting).map(({ id }) => id)).toEqual(['a'])
    })

    test('a worker that waits gets the job that is given back by another', async () => {
      const jobs = await serve()
      await add(jobs, 'a')
      const token = await claim(jobs, 'a', 'm1')
      const waiting = jobs.offers({ worker: 'm2', limit: 1, waitMs: 60_000 })
      await jobs.giveBack('a', token)
      expect((await waiting).map(({ id }) => id)).toEqual(['a'])
    })

    test('many who ask at once are offered different jobs first', async () => {
      const jobs = await serve()
      for (let number = 0; number < 20; number++) await add(jobs, `j${number}`)
      const offers = await Promise.all(Array.from({ length: 20 }, (_, number) => jobs.offers({ worker: `m${number}`, limit: 4 })))
      expect(new Set(offers.map(([first]) => first?.id)).size).toBe(20)
    })

    test('a server that shares only the list makes the components of a job where it lacks them, and refuses one of another recipe', async () => {
      const one = await serve()
      await add(one, 'a')
      const here = { ...plan, tools: { ...none, digest: `sha256:${'5'.repeat(64)}` } }
      const other = await serve({ hasComponents: async ({ tools }) => tools.digest === here.tools.digest, makePlan: async () => here })
      expect((await other.plan('a')).tools).toEqual(here.tools)
      expect(await one.plan('a')).toEqual(plan)
      const foreign = await serve({ hasComponents: async () => false, makePlan: async () => ({ ...plan, recipe: { name: 'r', digest: 'changed' } }) })
      await expect(foreign.plan('a')).rejects.toMatchObject({ status: 409, message: expect.stringContaining('expected d, got changed') })
    })

    test('a job that no known machine can take says so, and why', async () => {
      const jobs = await serve()
      machines.push({ id: 'm1', labels: { rack: 'a1' } }, { id: 'm2' })
      await add(jobs, 'a', { requires: { labels: { rack: 'b2' } } })
      expect(await jobs.list()).toMatchObject([{ blocked: expect.stringMatching(/^no known machine can take it; nearest is m1: labels\.rack: expected "b2", got "a1"$/) }])
      expect(await jobs.offers({ worker: 'm1', limit: 1 })).toEqual([])
      await expect(claim(jobs, 'a', 'm1')).rejects.toMatchObject({ status: 409, problems: ['labels.rack: expected "b2", got "a1"'] })
      machines[1] = { id: 'm2', labels: { rack: 'b2' } }
      expect((await jobs.list())[0]?.blocked).toBeUndefined()
      expect((await jobs.offers({ worker: 'm2', limit: 1 })).map(({ id }) => id)).toEqual(['a'])
    })

    test('F2 a failure that a worker reports ends its job until someone tries again', async () => {
      const jobs = await serve()
      await add(jobs, 'a')
      const token = await claim(jobs, 'a')
      const failure = { step: 'partition', message: 'no disk fits', lastLines: ['one', 'two'] }
      await jobs.report('a', { state: 'failed', failure }, token, '*')
      await expectRefused(jobs, 'a', token)
      pass(3_600_000)
      await jobs.reclaim()
      expect(await jobs.show('a')).toMatchObject({ job: { state: 'failed' }, status: { failure } })
    })

    test('a report that was made of an older status than there is is refused with 412', async () => {
      const jobs = await serve()
      await add(jobs, 'a')
      const token = await claim(jobs, 'a')
      await jobs.report('a', { state: 'running' }, token, '"1-1"')
      await expect(jobs.report('a', {}, token, '"1-1"')).rejects.toMatchObject(status(412))
      expect((await jobs.report('a', {}, token, '"1-2"')).revision).toBe(3)
    })

    describe('a job that deploys an image', () => {
      const addDeploy = (jobs: JobService, id: string) => jobs.add(withJobDefaults({ id, deploy: { image: 'disk' } }))

      test('is performed by the report of its worker, which may ask again, and its id may be used again', async () => {
        const jobs = await serve({ makePlan: async () => deployment })
        await addDeploy(jobs, 'a')
        const token = await claim(jobs, 'a')
        const performed = await jobs.report('a', { state: 'performed' }, token, '*')
        expect(performed).toMatchObject({ state: 'performed', imageDigest: digest, imageVersion: 'a' })
        expect(await jobs.list()).toEqual([])
        expect(await jobs.report('a', { state: 'performed' }, token, '*')).toEqual(performed)
        await expect(jobs.report('a', { state: 'performed' }, newClaim(), '*')).rejects.toMatchObject(status(410))
        expect(events.filter(({ hop }) => hop === 'performed')).toHaveLength(1)

        await addDeploy(jobs, 'a')
        await jobs.report('a', { state: 'performed' }, await claim(jobs, 'a'), '*')
        expect((await jobs.performed()).map(({ job, status }) => [job.deploy?.image, status?.imageVersion])).toEqual([['disk', 'a'], ['disk', 'a_2']])
      })

      test('F5 is not performed by a worker whose claim was reclaimed', async () => {
        const jobs = await serve({ makePlan: async () => deployment })
        await addDeploy(jobs, 'a')
        const late = await claim(jobs, 'a', 'm1')
        await jobs.reclaim()
        pass(61_000)
        await jobs.reclaim()
        pass(31_000)
        const next = await claim(jobs, 'a', 'm2')
        await expect(jobs.report('a', { state: 'performed' }, late, '*')).rejects.toMatchObject(status(410))
        expect(await jobs.report('a', { state: 'performed' }, next, '*')).toMatchObject({ state: 'performed', worker: 'm2', attempt: 2 })
      })

      test('may not publish an image, and a job that makes one is not performed by a report', async () => {
        const jobs = await serve({ makePlan: async ({ deploy }) => (deploy === undefined ? plan : deployment) })
        await addDeploy(jobs, 'a')
        const token = await claim(jobs, 'a')
        await expect(jobs.mayPublish('a', 'disk', 'a', token)).rejects.toMatchObject(status(409))
        await add(jobs, 'b')
        await expect(jobs.report('b', { state: 'performed' }, await claim(jobs, 'b'), '*')).rejects.toMatchObject(status(409))
        expect(await states(jobs)).toEqual(['a selected', 'b selected'])
      })

      test('means, to a server that makes its script anew, the version that it meant first', async () => {
        const asked: unknown[] = []
        const makePlan: JobServiceOptions['makePlan'] = async ({ deploy }) => (asked.push(deploy), deployment)
        await addDeploy(await serve({ makePlan }), 'a')
        const other = await serve({ makePlan, hasComponents: async () => false })
        await other.plan('a')
        expect(asked).toEqual([{ image: 'disk' }, { image: 'disk', version: digest }])
      })

      test('F6 a machine has work that holds a job, that one was pushed to, or that may take one', async () => {
        const jobs = await serve()
        const has = () => Promise.all(['m1', 'm2'].map((machine) => jobs.hasWorkFor(machine)))
        expect(await has()).toEqual([false, false])
        await add(jobs, 'pushed', { assignedTo: 'm1' })
        expect(await has()).toEqual([true, false])
        const token = newClaim()
        await jobs.claim('pushed', { worker: 'm1', server: 'http://s' }, token)
        expect(await has()).toEqual([true, false])
        await jobs.cancel('pushed')
        expect(await has()).toEqual([false, false])
        await add(jobs, 'any')
        expect(await has()).toEqual([true, true])
      })

      test('lets the machine that claims a job go', async () => {
        const claimed: string[] = []
        const jobs = await serve({ onClaimed: async (worker) => void claimed.push(worker) })
        await add(jobs, 'a')
        const token = newClaim()
        await jobs.claim('a', { worker: 'm1', server: 'http://s' }, token)
        await jobs.claim('a', { worker: 'm1', server: 'http://s' }, token)
        expect(claimed).toEqual(['m1'])
        await add(jobs, 'b', { assignedTo: 'm1' })
        expect([await jobs.assignedTo('m1'), await jobs.assignedTo('m2')]).toEqual(['b', undefined])
      })
    })
  })
}

