import { spreadOf, type Spread } from '../statistics.ts'
import type { Round } from './measure-round.ts'
import { scenarios, sides, type Measured, type Side } from './options.ts'

/** Restoring, as one more scenario. */
export const tasks = [...scenarios, 'restore'] as const
export type Task = (typeof tasks)[number]

type What = keyof Measured
type Compared = [side: Side, task: Task, what: What]

/** What Ingot is held to: at most this share of the time and the bytes of partclone and zstd, and for a rebuild of the bytes of the first build. */
const goals = {
  'first build, time / partclone': { own: ['ingot', 'first build', 'wallMs'], other: ['partclone', 'first build', 'wallMs'], goal: 1 },
  'first build, bytes / partclone': { own: ['ingot', 'first build', 'bytes'], other: ['partclone', 'first build', 'bytes'], goal: 1 },
  'restore, time / partclone': { own: ['ingot', 'restore', 'wallMs'], other: ['partclone', 'restore', 'wallMs'], goal: 1 },
  'restore, bytes / partclone': { own: ['ingot', 'restore', 'bytes'], other: ['partclone', 'restore', 'bytes'], goal: 1 },
  'one more package, bytes / first build': { own: ['ingot', 'one more package', 'bytes'], other: ['ingot', 'first build', 'bytes'], goal: 0.1 },
  'one file changed, bytes / first build': { own: ['ingot', 'one file changed', 'bytes'], other: ['ingot', 'first build', 'bytes'], goal: 0.1 },
} satisfies Record<string, { own: Compared; other: Compared; goal: number }>

export type GoalName = keyof typeof goals

export interface ImageReport {
  rounds: number
  /** Of what was measured. */
  figures: { side: Side; task: Task; rounds: number; spread: Record<What, Spread> }[]
  /** Ingot's figure for each of the other's, round by round. */
  ratios: { name: GoalName; spread: Spread; goal: number }[]
}

const measuredOf = (round: Round, side: Side, task: Task): Measured | undefined => (task === 'restore' ? round[side]?.restore : round[side]?.capture[task])

/** Puts rounds together. */
export function summarise(rounds: readonly Round[]): ImageReport {
  const figures = tasks.flatMap((task) =>
    sides.flatMap((side) => {
      const measured = rounds.flatMap((round) => measuredOf(round, side, task) ?? [])
      if (measured.length === 0) return []
      const spread = (what: What) => spreadOf(measured.map((each) => each[what]))
      return { side, task, rounds: measured.length, spread: { wallMs: spread('wallMs'), cpuMs: spread('cpuMs'), bytes: spread('bytes') } }
    }),
  )
  const figure = (round: Round, [side, task, what]: Compared) => measuredOf(round, side, task)?.[what]
  const ratios = (Object.keys(goals) as GoalName[]).flatMap((name) => {
    const { own, other, goal } = goals[name]
    const found = rounds.flatMap((round) => {
      const [one, two] = [figure(round, own as Compared), figure(round, other as Compared)]
      return one === undefined || two === undefined ? [] : one / two
    })
    return found.length === 0 ? [] : { name, spread: spreadOf(found), goal }
  })
  return { rounds: rounds.length, figures, ratios }
}
