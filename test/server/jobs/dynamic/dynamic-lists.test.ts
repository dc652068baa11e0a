import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createRecipeStore, type RecipeStore } from '../../../../server/components/recipe-store.ts'
import { IngotError } from '../../../../server/errors.ts'
import { createJobMaker } from '../../../../server/jobs/dynamic/job-maker.ts'
import type { ListRule } from '../../../../server/jobs/dynamic/list-rule.ts'
import { scanRecipes } from '../../../../server/jobs/dynamic/scan-recipes.ts'
import { createSchedule, type ScheduleRule } from '../../../../server/jobs/dynamic/schedule.ts'
import { startDynamicLists, type DynamicLists } from '../../../../server/jobs/dynamic/start-dynamic-lists.ts'
import { openFileJobStore } from '../../../../server/jobs/file-job-store.ts'
import { createJobService, type JobService } from '../../../../server/jobs/job-service.ts'
import { openMachineStore } from '../../../../server/machine-store.ts'
import { completeJob } from '../complete-job.ts'
import { samplePlan } from '../sample-job.ts'

let directory: string
let recipeDirectory: string
let recipes: RecipeStore
let jobs: JobService
let planError: Error | undefined
let onPlan = () => {}
let logged: { msg: string; madeBy?: string; problems?: string[]; reason?: string }[]
const log = pino({ base: null }, { write: (line: string) => void logged.push(JSON.parse(line)) })

const openJobs = async () =>
  createJobService({
    store: await openFileJobStore(directory),
    makePlan: async ({ recipe = '' }) => {
      onPlan()
      if (planError !== undefined) throw planError
      return samplePlan(recipe)
    },
    emit: () => {},
    machines: openMachineStore(directory),
  })

const recipeText = (name: string, description = 'a recipe') => `name: ${name}
description: ${description}
architecture: amd64
firmware: [bios]
disk: { size: 2GiB }
partitions:
  - { name: bios, type: bios-boot, size: 1MiB }
  - { name: root, type: linux-root, filesystem: ext4, mount: /, size: rest }
install:
  - rootfs: { suite: bookworm, packages: [linux-image-amd64, grub-cloud-amd64] }
  - bootloader: { kernelArguments: quiet }
image: { name: ${name} }
`
const writeRecipe = async (name: string, text = recipeText(name)) => {
  await mkdir(join(recipeDirectory, name), { recursive: true })
  await writeFile(join(recipeDirectory, name, 'recipe.yaml'), text)
}
const listed = async () => (await jobs.list()).map(({ id }) => id)
const perform = async (id: string) => {
  const claim = 'c'.repeat(43)
  await jobs.claim(id, { worker: 'm1', server: 'http://x' }, claim)
  await completeJob(jobs, id, `sha256:${'1'.repeat(64)}`, claim)
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-lists-'))
  recipeDirectory = join(directory, 'recipes')
  await mkdir(recipeDirectory)
  recipes = createRecipeStore([recipeDirectory])
  logged = []
  planError = undefined
  onPlan = () => {}
  jobs = await openJobs()
})
afterEach(async () => {
  await jobs.close()
  await rm(directory, { recursive: true })
})

describe('B5 recipes that appear or change', () => {
  const scanBy = (rules: ListRule[], monotonic?: () => number) => {
    const maker = createJobMaker({ jobs, log, ...(monotonic === undefined ? {} : { monotonic }) })
    return () => scanRecipes({ rules, recipes, maker, now: () => Date.parse('2026-11-24T00:00:00Z') })
  }

  test('make a job, named by what they are, with what the rule chose, once', async () => {
    await writeRecipe('web')
    const scan = scanBy([{ recipe: 'web', when: 'changed', priority: 5, requires: { memoryMiB: 4096 } }])
    await scan()
    await scan()
    const digest = (await recipes.load('web')).digest.slice('sha256:'.length)
    expect(await jobs.list()).toMatchObject([
      { id: `web-${digest.slice(0, 12)}`, recipe: 'web', madeBy: 'changed:web', priority: 5, requires: { memoryMiB: 4096 }, createdAt: '2026-11-24T00:00:00.000Z' },
    ])
  })

  test('that were performed as they are, or taken off the list, make none again; changed they do', async () => {
    await writeRecipe('web')
    const scan = scanBy([{ recipe: 'web', when: 'changed' }])
    await scan()
    await perform((await listed())[0]!)
    await scan()
    expect(await listed()).toEqual([])
    await writeRecipe('web', recipeText('web', 'another'))
    await scan()
    const [second] = await listed()
    await jobs.remove(second!)
    await scan()
    expect(await listed()).toEqual([])
  })

  test('make none while one of theirs is under way, and then one of the latest', async () => {
    await writeRecipe('web')
    const scan = scanBy([{ recipe: 'web', when: 'changed' }])
    await scan()
    const [first] = await listed()
    await writeRecipe('web', recipeText('web', 'second'))
    await scan()
    await writeRecipe('web', recipeText('web', 'third'))
    await scan()
    await scan()
    expect(await listed()).toEqual([first])
    expect(logged.filter(({ msg }) => msg.includes('while the one before is under way'))).toHaveLength(2)
    await perform(first!)
    await scan()
    const third = (await recipes.load('web')).digest.slice('sha256:'.length, 'sha256:'.length + 12)
    expect(await listed()).toEqual([`web-${third}`])
  })

  test('make one though the one before failed and waits for a person', async () => {
    await writeRecipe('web')
    const scan = scanBy([{ recipe: 'web', when: 'changed' }])
    await scan()
    await jobs.cancel((await listed())[0]!)
    await writeRecipe('web', recipeText('web', 'mended'))
    await scan()
    expect((await jobs.list()).map(({ state }) => state)).toEqual(['cancelled', 'available'])
  })

  test('broken, are told of once with what is wrong, and tried again when they change', async () => {
    await writeRecipe('web', recipeText('web').replace('bookworm', 'bokworm'))
    await writeRecipe('good')
    const scan = scanBy([{ recipe: '*', when: 'changed' }])
    await scan()
    await scan()
    expect(await jobs.list()).toMatchObject([{ recipe: 'good' }])
    const told = logged.filter(({ msg }) => msg.startsWith('a rule makes no job'))
    expect(told).toMatchObject([{ madeBy: 'changed:web', problems: [expect.stringMatching(/recipe\.yaml:10:\d+: install\[0\]\.rootfs\.suite: expected/)] }])
    await writeRecipe('web')
    await scan()
    expect((await jobs.list()).map(({ recipe }) => recipe)).toEqual(['good', 'web'])
  })

  test('whose parts cannot be made are made again after a minute, then two, and are told of once', async () => {
    await writeRecipe('web')
    let minutes = 0
    const scan = scanBy([{ recipe: 'web', when: 'changed' }], () => minutes * 60_000)
    planError = new IngotError('mirror-unreachable', 'the mirror cannot be reached')
    const tried: number[] = []
    onPlan = () => void tried.push(minutes)
    for (; minutes < 9; minutes++) await scan()
    expect(tried).toEqual([0, 1, 3, 7])
    expect(logged).toMatchObject([{ reason: 'the mirror cannot be reached' }])
    planError = undefined
    minutes = 15
    await scan()
    expect(await listed()).toHaveLength(1)
  })

  test('of two rules for a recipe the first counts, and a recipe that is not there yet is waited for', async () => {
    const scan = scanBy([
      { recipe: 'web', when: 'changed', priority: 9 },
      { recipe: '*', when: 'changed' },
    ])
    await scan()
    expect(logged).toMatchObject([{ madeBy: 'changed:web', reason: expect.stringContaining('expected the name of a recipe') }])
    await writeRecipe('web')
    await scan()
    expect(await jobs.list()).toMatchObject([{ recipe: 'web', priority: 9 }])
  })
})

describe('B5 schedules', () => {
  const rule: ScheduleRule = { name: 'nightly', recipe: 'web', cron: '0 3 * * *', timeZone: 'Europe/Berlin', priority: 3 }
  let clock: number
  const at = (time: string) => (clock = Date.parse(time))
  const scheduleBy = (more: Partial<ScheduleRule> = {}) => createSchedule({ rule: { ...rule, ...more }, maker: createJobMaker({ jobs, log }), now: () => clock })

  test('make a job at their moment, named by it in UTC', async () => {
    at('2026-11-24T01:00:00Z')
    const schedule = scheduleBy()
    expect(schedule.nextMs()).toBe(Date.parse('2026-11-24T02:00:00Z'))
    await schedule.run()
    expect(await listed()).toEqual([])
    at('2026-11-24T02:00:03Z')
    await schedule.run()
    await schedule.run()
    expect(await jobs.list()).toMatchObject([{ id: 'nightly-20261124-0200', recipe: 'web', madeBy: 'schedule:nightly', priority: 3 }])
  })

  test('what was missed while the server did not run is not made up for', async () => {
    at('2026-11-24T02:00:01Z')
    await scheduleBy().run()
    expect(await listed()).toEqual([])
  })

  test('after a sleep of the host, or when its clock is set forward, the latest moment makes one job', async () => {
    at('2026-11-01T00:00:00Z')
    const schedule = scheduleBy()
    at('2026-11-24T12:00:00Z')
    await schedule.run()
    await schedule.run()
    expect(await listed()).toEqual(['nightly-20261124-0200'])
  })

  test('when the clock is set back, a moment that comes again makes no second job, and the next one comes', async () => {
    at('2026-11-24T01:59:00Z')
    const schedule = scheduleBy()
    at('2026-11-24T02:00:10Z')
    await schedule.run()
    await perform('nightly-20261124-0200')
    at('2026-11-24T01:30:00Z')
    await schedule.run()
    at('2026-11-24T02:00:10Z')
    await schedule.run()
    expect(await listed()).toEqual([])
    at('2026-11-25T02:00:10Z')
    await schedule.run()
    expect(await listed()).toEqual(['nightly-20261125-0200'])
  })

  test('never two of the same at once: a moment that comes while the job before is under way is passed over', async () => {
    at('2026-11-24T01:59:00Z')
    const schedule = scheduleBy()
    for (const time of ['2026-11-24T02:00:00Z', '2026-11-25T02:00:00Z']) {
      at(time)
      await schedule.run()
    }
    await perform('nightly-20261124-0200')
    await schedule.run()
    expect(await listed()).toEqual([])
    expect(logged).toMatchObject([{ msg: 'job made by a rule' }, { madeBy: 'schedule:nightly', job: 'nightly-20261125-0200', underWay: 'nightly-20261124-0200' }])
  })

  test('a job that cannot be made now is made when it can', async () => {
    at('2026-11-24T01:59:00Z')
    const schedule = scheduleBy()
    planError = new IngotError('recipe-unknown', 'expected the name of a recipe')
    at('2026-11-24T02:00:00Z')
    await schedule.run()
    expect(await listed()).toEqual([])
    planError = undefined
    at('2026-11-24T02:10:00Z')
    await schedule.run()
    expect(await listed()).toEqual(['nightly-20261124-0200'])
  })

  test('B7 two servers that share a list make one job', async () => {
    const other = await openJobs()
    try {
      at('2026-11-24T01:59:00Z')
      const schedules = [scheduleBy(), createSchedule({ rule, maker: createJobMaker({ jobs: other, log }), now: () => clock })]
      at('2026-11-24T02:00:00Z')
      await Promise.all(schedules.map((schedule) => schedule.run()))
      await vi.waitFor(async () => expect((await other.list()).map(({ id }) => id)).toEqual(['nightly-20261124-0200']), 10_000)
      expect(await listed()).toEqual(['nightly-20261124-0200'])
    } finally {
      await other.close()
    }
  })
})

describe('dynamic lists in a running server', () => {
  let lists: DynamicLists | undefined
  afterEach(() => lists?.close())
  const start = (rules: ListRule[], more: object = {}) => {
    lists = startDynamicLists({ rules, recipes, recipeDirectories: [recipeDirectory], jobs, log, settleMs: 50, ...more })
  }

  test('a recipe that is there, one that appears and one that changes each make a job', async () => {
    await writeRecipe('there')
    start([{ recipe: '*', when: 'changed' }])
    await vi.waitFor(async () => expect(await jobs.list()).toMatchObject([{ recipe: 'there' }]), 20_000)
    await writeRecipe('new')
    await vi.waitFor(async () => expect(await jobs.list()).toMatchObject([{ recipe: 'there' }, { recipe: 'new' }]), 20_000)
    const [, before] = await listed()
    await perform(before!)
    await writeRecipe('new', recipeText('new', 'changed'))
    await vi.waitFor(async () => expect((await jobs.list())[1]).toMatchObject({ recipe: 'new' }), 20_000)
    expect((await listed())[1]).not.toBe(before)
  })

  test('a schedule whose moment comes makes its job', async () => {
    let clock = Date.parse('2026-11-24T01:59:59.990Z')
    start([{ name: 'nightly', recipe: 'web', cron: '0 2 * * *', timeZone: 'UTC' }], { now: () => (clock += 5), tickMs: 10 })
    await vi.waitFor(async () => expect(await listed()).toEqual(['nightly-20261124-0200']), 20_000)
  })

  test('closed, it makes nothing more', async () => {
    start([{ recipe: '*', when: 'changed' }], { rescanMs: 10 })
    await lists!.close()
    await writeRecipe('late')
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await listed()).toEqual([])
  })
})
