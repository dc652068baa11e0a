import { randomBytes } from 'node:crypto'
import fc, { type AsyncCommand } from 'fast-check'
import { expect } from 'vitest'
import { withJobDefaults, type Job, type Place } from '../../../server/api/job.ts'
import { HttpProblem } from '../../../server/http/problem.ts'
import { etagOf, type JobService } from '../../../server/jobs/job-service.ts'
import { attemptOf, findJob, inOrder, isOver, isUnderWay, loseClaim, performJob, removeJob, stateOf, versionOf, type Model, type ModelJob, type Real } from './life-cycle-model.ts'
import { completeJob } from './complete-job.ts'

type Command = AsyncCommand<Model, Real, false>

export const digest = `sha256:${'1'.repeat(64)}`
const ids = ['a', 'b', 'c']
const workers = ['m1', 'm2', 'm3']
const newToken = (): string => randomBytes(32).toString('base64url')

/** The status of the refusal, or 0 when it was done. Anything but a refusal is a defect. */
const statusOf = (asked: Promise<unknown>): Promise<number> =>
  asked.then(
    () => 0,
    (error: unknown) => {
      if (error instanceof HttpProblem) return error.status
      throw error
    },
  )

/** What every look at the list must show, on every server. */
async function checkList(model: Model, { servers }: Real): Promise<void> {
  for (const jobs of servers) {
    // Each job's own file is looked at first: what other servers did shows there at once, and in the list soon after.
    const shown = await Promise.all(model.jobs.map(({ job }) => jobs.show(job.id)))
    const expected = (each: ModelJob) => ({ id: each.job.id, priority: each.job.priority, state: stateOf(each, model.now), attempt: attemptOf(each) })
    expect(shown.map(({ job }) => job)).toMatchObject(model.jobs.map(expected))
    expect(await jobs.list()).toMatchObject(inOrder(model).map(expected))
    expect((await jobs.performed()).map(({ status }) => status?.imageVersion).sort()).toEqual([...versionsOf(model)].sort())
  }
}

function* versionsOf({ performed }: Model): Generator<string> {
  for (const [index, id] of performed.entries()) yield versionOf({ performed: performed.slice(0, index) } as Model, id)
}

/** Lets every server look at its claims, so that each watches them from the moment they were made. */
const lookAll = async ({ servers }: Real, model: Model): Promise<void> => {
  for (const jobs of servers) {
    await Promise.all(model.jobs.map(({ job }) => jobs.show(job.id)))
    await jobs.reclaim()
  }
}

const command = (name: string, run: (model: Model, real: Real) => Promise<void>, check: (model: Readonly<Model>) => boolean = () => true): Command => ({
  check,
  async run(model, real) {
    await run(model, real)
    await lookAll(real, model)
    await checkList(model, real)
  },
  toString: () => name,
})

/** Something done to one job at one server; which refusal is expected is for the model to say. */
const at = (server: number, { servers }: Real): JobService => servers[server % servers.length]!

const addJob = (server: number, job: Job, place: Place): Command =>
  command(`add ${job.id} priority ${job.priority} ${job.whenLost} ${JSON.stringify(place)} at ${server}`, async (model, real) => {
    const status = await statusOf(at(server, real).add(job, place))
    if (findJob(model, job.id) !== undefined) return expect(status).toBe(409)
    if (placeIsMissing(model, place)) return expect(status).toBe(404)
    expect(status).toBe(0)
    placeModel(model, { job, state: 'free', lost: 0, spent: [], notBefore: 0 }, place)
  })

const otherOf = (place: Place): string | undefined => ('before' in place ? place.before : 'after' in place ? place.after : undefined)
const placeIsMissing = (model: Model, place: Place): boolean => {
  const other = otherOf(place)
  return other !== undefined && findJob(model, other) === undefined
}

function placeModel(model: Model, added: ModelJob, place: Place): void {
  const other = otherOf(place)
  if (other !== undefined) {
    const index = model.jobs.findIndex(({ job }) => job.id === other)
    added.job = { ...added.job, priority: model.jobs[index]!.job.priority }
    model.jobs.splice('before' in place ? index : index + 1, 0, added)
  } else if ('at' in place && place.at === 'first') {
    added.job = { ...added.job, priority: Math.max(added.job.priority, ...model.jobs.map(({ job }) => job.priority)) }
    model.jobs.unshift(added)
  } else model.jobs.push(added)
}

/** Several workers want the same job at the same moment, at several servers: one gets it, if it is to be had. */
const claimJob = (id: string, rivals: readonly { worker: string; server: number }[]): Command =>
  command(`claim ${id} by ${rivals.map(({ worker, server }) => `${worker} at ${server}`).join(' and ')}`, async (model, real) => {
    const found = findJob(model, id)
    const asked = rivals.map(({ worker, server }) => ({ worker, server, token: newToken() }))
    const statuses = await Promise.all(asked.map(({ worker, server, token }) => statusOf(at(server, real).claim(id, { worker, server: 'http://s' }, token))))
    if (found === undefined) return expect(statuses).toEqual(asked.map(() => 404))
    const isFree = stateOf(found, model.now) === 'available'
    const mayTake = asked.map(({ worker }) => isFree && (found.job.assignedTo === undefined || found.job.assignedTo === worker))
    expect(statuses.filter((status) => status === 0)).toHaveLength(mayTake.includes(true) ? 1 : 0)
    for (const status of statuses) expect([0, 409, 412]).toContain(status)
    const winner = asked[statuses.indexOf(0)]
    if (winner === undefined) return
    expect(mayTake[statuses.indexOf(0)]).toBe(true)
    found.state = 'held'
    found.claim = { token: winner.token, worker: winner.worker, claimedAt: model.now, heardAt: model.now }
    model.claims.push({ id, token: winner.token })
    const status = await at(winner.server + 1, real).status(id)
    expect(status).toMatchObject({ worker: winner.worker, state: 'claimed', attempt: found.lost + 1, imageVersion: versionOf(model, id) })
    // Asked again, because the answer was lost: it is held already.
    expect(await at(winner.server, real).claim(id, { worker: winner.worker, server: 'http://s' }, winner.token)).toMatchObject({ created: false })
  })

/** One of all the claims that ever were, counted from the last. */
const claimAt = ({ claims }: Model, pick: number): Model['claims'][number] => claims[claims.length - 1 - (pick % claims.length)]!

/** A claim that was sent before comes once more, perhaps long after. */
const claimAgain = (pick: number, worker: string, server: number): Command =>
  command(
    `claim ${pick} again by ${worker} at ${server}`,
    async (model, real) => {
      const { id, token } = claimAt(model, pick)
      const found = findJob(model, id)
      const assignedTo = found?.job.assignedTo
      const status = await statusOf(at(server, real).claim(id, { worker, server: 'http://s' }, token))
      if (found === undefined) return expect(status).toBe(404)
      const isAnothers = assignedTo !== undefined && assignedTo !== worker
      if (found.claim?.token === token && found.state === 'held') return expect(status).toBe(isAnothers ? 409 : 0)
      if (stateOf(found, model.now) !== 'available' || isAnothers || found.spent.includes(token)) return expect([409, 412]).toContain(status)
      expect(status).toBe(0)
      found.state = 'held'
      found.claim = { token, worker, claimedAt: model.now, heardAt: model.now }
    },
    (model) => model.claims.length > 0,
  )

type Act = 'heartbeat' | 'progress' | 'fail' | 'give back' | 'log' | 'upload' | 'deliver' | 'complete'

/** A worker writes with one of all the claims that ever were: done with the one that holds the job, refused with any other (F5). */
const write = (act: Act, pick: number, server: number): Command =>
  command(
    `${act} with claim ${pick} at ${server}`,
    async (model, real) => {
      const { id, token } = claimAt(model, pick)
      const jobs = at(server, real)
      const found = findJob(model, id)
      const isOurs = found?.claim?.token === token
      const holds = isOurs && found.state === 'held'
      const etag = holds && pick % 2 === 0 ? etagOf(await jobs.status(id)) : '*'
      const acts: Record<Act, () => Promise<unknown>> = {
        heartbeat: () => jobs.report(id, {}, token, etag),
        progress: () => jobs.report(id, { state: 'running', progress: { stepIndex: 0, stepCount: 2, step: 'image' } }, token, etag),
        fail: () => jobs.report(id, { state: 'failed', failure: { step: 'image', message: 'no', lastLines: [] } }, token, etag),
        'give back': () => jobs.giveBack(id, token),
        log: () => jobs.appendLog(id, `${token}\n`, token),
        upload: () => jobs.mayPublish(id, 'disk', versionOf(model, id), token),
        deliver: async () => {
          await jobs.mayPublish(id, 'disk', versionOf(model, id), token)
          await jobs.received(id, digest, token)
        },
        complete: async () => {
          await jobs.mayPublish(id, 'disk', versionOf(model, id), token)
          await completeJob(jobs, id, digest, token)
        },
      }
      const status = await statusOf(acts[act]())
      const asksForTheEnd = ['upload', 'deliver', 'complete'].includes(act)
      if (!holds && !(isOurs && found.state === 'proving' && asksForTheEnd)) {
        // The one that performed the job may ask again for the end of it.
        if (model.performedBy.get(id) === token && found === undefined && asksForTheEnd) return expect(status).toBe(0)
        return expect([409, 410]).toContain(status)
      }
      expect(status).toBe(0)
      if (act === 'heartbeat' || act === 'progress') found.claim!.heardAt = model.now
      if (act === 'fail') endClaim(found, 'failed')
      if (act === 'give back') loseClaim(model, found, { waits: false })
      if (act === 'log') expect(await jobs.log(id)).toContain(token)
      if (act === 'deliver') found.state = 'proving'
      if (act === 'complete') performJob(model, found)
    },
    (model) => model.claims.length > 0,
  )

/** The proof of a job ends, at the server that makes it; before and after that nothing comes of it. */
const endProof = (id: string, how: 'good' | 'bad', server: number): Command =>
  command(
    `proof of ${id} ends ${how} at ${server}`,
    async (model, real) => {
      const jobs = at(server, real)
      const found = findJob(model, id)!
      const begun = await jobs.status(id)
      expect(await jobs.proving.isWanted(begun)).toBe(found.state === 'proving')
      await jobs.proving.progress(begun, { stepIndex: 0, stepCount: 1, step: 'proof', detail: 'BIOS: waits for the login prompt' })
      if (how === 'bad') await jobs.proving.lose(begun, { step: 'proof', message: 'no login prompt', lastLines: [] })
      if (found.state !== 'proving') return
      if (how === 'bad') return loseClaim(model, found, { waits: true })
      await jobs.proving.perform(begun, digest)
      performJob(model, found)
    },
    (model) => ['held', 'proving', 'cancelled'].includes(findJob(model, id)?.state ?? ''),
  )

function endClaim(found: ModelJob, state: 'failed' | 'cancelled'): void {
  // The attempt that ended stays the job's; a job that nobody held is as if somebody had.
  if (found.state !== 'failed') found.lost++
  delete found.claim
  found.state = state
}

const operate = (name: string, id: string, server: number, act: (jobs: JobService) => Promise<unknown>, expected: (found: ModelJob, model: Model) => number): Command =>
  command(`${name} ${id} at ${server}`, async (model, real) => {
    const status = await statusOf(act(at(server, real)))
    const found = findJob(model, id)
    expect(status).toBe(found === undefined ? 404 : expected(found, model))
  })

const cancel = (id: string, server: number): Command =>
  operate('cancel', id, server, (jobs) => jobs.cancel(id), (found) => {
    if (found.state !== 'cancelled') endClaim(found, 'cancelled')
    return 0
  })
const retry = (id: string, server: number): Command =>
  operate('retry', id, server, (jobs) => jobs.retry(id), (found) => {
    if (isUnderWay(found)) return 409
    Object.assign(found, { state: 'free', lost: 0, spent: [], notBefore: 0 })
    return 0
  })
const remove = (id: string, server: number): Command =>
  operate('remove', id, server, (jobs) => jobs.remove(id), (found, model) => {
    removeJob(model, found)
    return 0
  })
const assign = (id: string, machine: string, server: number): Command =>
  operate(`assign to ${machine}`, id, server, (jobs) => jobs.assign(id, machine), (found) => {
    if (isUnderWay(found)) return 409
    found.job = { ...found.job, assignedTo: machine }
    return 0
  })
const edit = (id: string, priority: number | null, server: number): Command =>
  operate(`priority ${priority}`, id, server, (jobs) => jobs.edit(id, { priority, assignedTo: null }), (found) => {
    const { assignedTo: _, ...job } = found.job
    found.job = { ...job, priority: priority ?? 0 }
    return 0
  })

const move = (id: string, place: Place, server: number): Command =>
  command(`move ${id} ${JSON.stringify(place)} at ${server}`, async (model, real) => {
    const status = await statusOf(at(server, real).move(id, place))
    const found = findJob(model, id)
    if (found === undefined || placeIsMissing(model, place) || otherOf(place) === id) return expect(status).toBe(404)
    expect(status).toBe(0)
    model.jobs = model.jobs.filter((each) => each !== found)
    placeModel(model, found, place)
  })

const pass = (seconds: number): Command =>
  command(`${seconds} s pass`, async (model, real) => {
    model.now += seconds * 1000
    real.clock.ms = model.now
    for (const found of [...model.jobs]) {
      const { claim } = found
      if (found.state === 'held' && claim !== undefined && model.upSince.some((upSince) => isOver(found, claim, { now: model.now, upSince }))) loseClaim(model, found, { waits: true })
    }
  })

const restart = (server: number): Command =>
  command(`restart ${server}`, async (model, real) => {
    const index = server % real.servers.length
    await real.restart(index)
    model.upSince[index] = model.now
  })

const offers = (worker: string, server: number): Command =>
  command(`${worker} asks ${server} for offers`, async (model, real) => {
    const free = inOrder(model).filter((each) => stateOf(each, model.now) === 'available')
    const own = free.filter(({ job }) => job.assignedTo === worker)
    const anyones = free.filter(({ job }) => job.assignedTo === undefined)
    const may = [...own, ...anyones].map(({ job }) => job.id)
    // What other servers did shows in the offers after a moment; and those just offered to others may be left out as long as there is another.
    for (;;) {
      const offered = (await at(server, real).offers({ worker, limit: 10 })).map(({ id }) => id)
      const inTurn = may.filter((id) => offered.includes(id))
      if (inTurn.join() === offered.join() && (may.length === 0 || offered.length > 0)) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })

const id = fc.constantFrom(...ids)
const worker = fc.constantFrom(...workers)
const server = fc.nat(1)
const rivals = fc.array(fc.record({ worker, server }), { minLength: 1, maxLength: 3 })
const place: fc.Arbitrary<Place> = fc.oneof(
  fc.constantFrom<Place>({ at: 'last' }, { at: 'first' }),
  id.map((before): Place => ({ before })),
  id.map((after): Place => ({ after })),
)
const job = fc
  .record({
    id,
    priority: fc.integer({ min: -2, max: 2 }),
    whenLost: fc.constantFrom('reclaim' as const, 'reclaim' as const, 'remove' as const),
    maxAttempts: fc.integer({ min: 1, max: 3 }),
    silenceLimitSeconds: fc.constantFrom(10, 60),
    timeLimitSeconds: fc.constantFrom(30, 300),
  })
  .map((choices) => withJobDefaults({ recipe: 'r', ...choices }))
const act = fc.constantFrom<Act>('heartbeat', 'heartbeat', 'progress', 'fail', 'give back', 'log', 'upload', 'deliver', 'deliver', 'complete')

/** Everything that may happen to a list of jobs. */
export const lifeCycleCommands = (): fc.Arbitrary<Iterable<Command>> =>
  fc.commands<Model, Real, false>(
    [
      fc.tuple(server, job, place).map((args) => addJob(...args)),
      fc.tuple(server, job, fc.constant<Place>({ at: 'last' })).map((args) => addJob(...args)),
      fc.tuple(id, rivals).map((args) => claimJob(...args)),
      fc.tuple(id, rivals).map((args) => claimJob(...args)),
      fc.tuple(id, rivals).map((args) => claimJob(...args)),
      fc.tuple(fc.nat(7), worker, server).map((args) => claimAgain(...args)),
      fc.tuple(act, fc.nat(7), server).map((args) => write(...args)),
      fc.tuple(act, fc.nat(7), server).map((args) => write(...args)),
      fc.tuple(id, fc.constantFrom('good' as const, 'bad' as const), server).map((args) => endProof(...args)),
      fc.tuple(id, server).map((args) => cancel(...args)),
      fc.tuple(id, server).map((args) => retry(...args)),
      fc.tuple(id, server).map((args) => remove(...args)),
      fc.tuple(id, worker, server).map((args) => assign(...args)),
      fc.tuple(id, fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constant(null)), server).map((args) => edit(...args)),
      fc.tuple(id, place, server).map((args) => move(...args)),
      fc.constantFrom(1, 10, 31, 61).map(pass),
      fc.constantFrom(1, 10, 31, 61, 301).map(pass),
      server.map(restart),
      fc.tuple(worker, server).map((args) => offers(...args)),
    ],
    { maxCommands: 80, size: 'max' },
  )
