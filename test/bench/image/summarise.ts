import { spreadOf, type Spread } from '../statistics.ts'
import type { Round } from './measure-round.ts'
import { scenarios, sides, type Measured, type Side } from './options.ts'

/** Restoring, as one more scenario. */
export const tasks = [...scenarios, 'restore'] as const
export type Task = (typeof tasks)[number]

/** What Ingot is held to, beside partclone and zstd: at most this share of its time and of its bytes, and for a rebuild of the bytes of the first build. */
export const goals = { time: 1, bytes: 1, rebuildBytes: 0.1 } as const

export interface ImageReport {
  rounds: number
  figures: Record<Side, Record<Task, Record<keyof Measured, Spread>>>
  /** Ingot's figure for each that of partclone and zstd, round by round. */
  ratios: { captureTime: Spread; captureBytes: Spread; restoreTime: Spread; restoreBytes: Spread; packageBytes: Spread; fileBytes: Spread }
}

const measuredOf = (round: Round, side: Side, task: Task): Measured => (task === 'restore' ? round[side].restore : round[side].capture[task])

/** Puts rounds together. */
export function summarise(rounds: readonly Round[]): ImageReport {
  const spread = (side: Side, task: Task, what: keyof Measured) => spreadOf(rounds.map((round) => measuredOf(round, side, task)[what]))
  const figures = Object.fromEntries(
    sides.map((side) => [
      side,
      Object.fromEntries(tasks.map((task) => [task, { wallMs: spread(side, task, 'wallMs'), cpuMs: spread(side, task, 'cpuMs'), bytes: spread(side, task, 'bytes') }])),
    ]),
  ) as ImageReport['figures']
  const toPartclone = (task: Task, what: keyof Measured) =>
    spreadOf(rounds.map((round) => measuredOf(round, 'ingot', task)[what] / measuredOf(round, 'partclone', task)[what]))
  const toFirst = (task: Task) => spreadOf(rounds.map((round) => measuredOf(round, 'ingot', task).bytes / measuredOf(round, 'ingot', 'first build').bytes))
  return {
    rounds: rounds.length,
    figures,
    ratios: {
      captureTime: toPartclone('first build', 'wallMs'),
      captureBytes: toPartclone('first build', 'bytes'),
      restoreTime: toPartclone('restore', 'wallMs'),
      restoreBytes: toPartclone('restore', 'bytes'),
      packageBytes: toFirst('one more package'),
      fileBytes: toFirst('one file changed'),
    },
  }
}
