import { watch } from 'chokidar'
import type { Logger } from 'pino'
import type { RecipeStore } from '../../components/recipe-store.ts'
import { createJobMaker, type JobList } from './job-maker.ts'
import type { ListRule } from './list-rule.ts'
import { createSchedule, isSchedule } from './schedule.ts'
import { scanRecipes } from './scan-recipes.ts'

export interface DynamicListsOptions {
  /** Checked by `faultsOfListRules`. */
  rules: readonly ListRule[]
  recipes: RecipeStore
  /** The folders that the recipes lie under. */
  recipeDirectories: readonly string[]
  jobs: JobList
  log: Logger
  /** Milliseconds since 1970; default the clock of this host. */
  now?: () => number
  /** A recipe is read when nothing changed for so long: an editor writes several files. Default 2000. */
  settleMs?: number
  /** Recipes are looked at also this often, since a network file system tells nothing of what others change. Default 60,000. */
  rescanMs?: number
  /** The clock is looked at at least this often, since it can be set and the host can sleep. Default 30,000. */
  tickMs?: number
}

export interface DynamicLists {
  /** Ends it; a job that is just being made is finished first. */
  close(): Promise<void>
}

/** Puts jobs on the list by the rules of the configuration (B5), until closed. */
export function startDynamicLists(options: DynamicListsOptions): DynamicLists {
  const { rules, recipes, recipeDirectories, jobs, log, now = Date.now, settleMs = 2000, rescanMs = 60_000, tickMs = 30_000 } = options
  const maker = createJobMaker({ jobs, log })
  const closers: (() => Promise<void>)[] = []

  if (rules.some(({ when }) => when === 'changed')) {
    const scan = repeat({ act: () => scanRecipes({ rules, recipes, maker, now }), pauseMs: () => rescanMs, log })
    let settled: NodeJS.Timeout | undefined
    const watcher = watch([...recipeDirectories], { ignoreInitial: true })
      .on('all', () => {
        clearTimeout(settled)
        settled = setTimeout(scan.now, settleMs)
      })
      // Only from now on it tells of every change; what changed before is seen by this scan.
      .on('ready', scan.now)
      .on('error', (error) => log.warn({ err: error }, 'recipes are not watched as they should be, only looked at now and then'))
    closers.push(async () => {
      clearTimeout(settled)
      await watcher.close()
      await scan.close()
    })
  }

  for (const rule of rules.filter(isSchedule)) {
    const schedule = createSchedule({ rule, maker, now })
    closers.push(repeat({ act: () => schedule.run(), pauseMs: () => Math.min(tickMs, Math.max(0, schedule.nextMs() - now())), log }).close)
  }

  return {
    async close() {
      await Promise.all(closers.map((close) => close()))
    },
  }
}

/** Acts again and again, never twice at once, with a pause after each; `now` cuts the pause short, or has it act once more when it is acting. */
function repeat({ act, pauseMs, log }: { act: () => Promise<void>; pauseMs: () => number; log: Logger }) {
  let timer: NodeJS.Timeout | undefined
  let acting: Promise<void> | undefined
  let again = false
  let closed = false
  const turn = async () => {
    try {
      await act()
    } catch (error) {
      log.error({ err: error }, 'the rules of the list could not be followed this time')
    }
    acting = undefined
    if (closed) return
    timer = setTimeout(begin, again ? 0 : pauseMs())
    again = false
  }
  const begin = () => {
    if (closed) return
    clearTimeout(timer)
    if (acting === undefined) acting = turn()
    else again = true
  }
  timer = setTimeout(begin, pauseMs())
  return {
    now: begin,
    async close() {
      closed = true
      clearTimeout(timer)
      await acting
    },
  }
}
