import { Type, type Static } from 'typebox'
import type { Fault } from '../../../images/fault.ts'
import { newJobSchema } from '../../api/job.ts'
import { cronOf } from './moments.ts'

const { id: _, recipe: __, ...choices } = newJobSchema.properties

/**
 * A rule of `lists:` in `ingot.yaml`, by which the server puts jobs on its list by itself (B5). Either
 * `{ recipe: debian-12, when: changed }`, a job whenever that recipe appears or changes (`'*'`: every recipe), or
 * `{ name: nightly, recipe: debian-12, cron: '0 3 * * *', timeZone: Europe/Berlin }`, a job at each of these moments. Beside it stands what may be
 * chosen for any job, for example `priority` and `requires`.
 */
export const listRuleSchema = Type.Object(
  {
    recipe: Type.String({ minLength: 1, description: "the name of a recipe, or '*' for every recipe" }),
    when: Type.Optional(Type.Literal('changed')),
    /** Name of a schedule; its jobs are called by it. */
    name: Type.Optional(
      Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,79}$', description: 'up to 80 lower-case letters, digits, dots, dashes and underscores, like nightly' }),
    ),
    /** Five fields: minute, hour, day of the month, month, day of the week (POSIX crontab), or `@daily` and its like. */
    cron: Type.Optional(Type.String()),
    /** Where the clock of `cron` stands, a name of the IANA database; default that of this host. */
    timeZone: Type.Optional(Type.String({ minLength: 1 })),
    ...choices,
  },
  { additionalProperties: false },
)
export type ListRule = Static<typeof listRuleSchema>

/** What the rules say of a job: all that is not about when it is made. */
export const choicesOf = ({ recipe: _recipe, when: _when, name: _name, cron: _cron, timeZone: _timeZone, ...chosen }: ListRule) => chosen

/** What a schema cannot say of the rules; paths begin with the index of the rule. */
export function faultsOfListRules(rules: readonly ListRule[]): Fault[] {
  const names = rules.map(({ name }) => name)
  return rules.flatMap((rule, index) => {
    const faults: Fault[] = rule.cron === undefined ? faultsOfChangeRule(rule) : faultsOfSchedule({ ...rule, cron: rule.cron })
    if (rule.name !== undefined && names.indexOf(rule.name) < index) {
      faults.push({ path: ['name'], expected: 'a name that no other rule has', got: `"${rule.name}"` })
    }
    return faults.map((fault) => ({ ...fault, path: [index, ...fault.path] }))
  })
}

function faultsOfChangeRule(rule: ListRule): Fault[] {
  if (rule.when === undefined) return [{ path: [], expected: 'when: changed, or name and cron', got: 'neither' }]
  return (['name', 'timeZone'] as const).flatMap((key) =>
    rule[key] === undefined ? [] : [{ path: [key], expected: 'nothing beside when: changed', got: `"${rule[key]}"` }],
  )
}

function faultsOfSchedule(rule: ListRule & { cron: string }): Fault[] {
  const faults: Fault[] = []
  if (rule.when !== undefined) faults.push({ path: ['when'], expected: 'nothing beside cron', got: `"${rule.when}"` })
  if (rule.name === undefined) faults.push({ path: ['name'], expected: 'a name for the schedule, like nightly', got: 'nothing' })
  if (rule.recipe === '*') faults.push({ path: ['recipe'], expected: 'the name of one recipe beside cron', got: '"*"' })
  if (rule.timeZone !== undefined && !isTimeZone(rule.timeZone)) {
    return [...faults, { path: ['timeZone'], expected: 'a time zone of the IANA database, like Europe/Berlin', got: `"${rule.timeZone}"` }]
  }
  const expected = 'five fields of cron at which a moment comes, like 0 3 * * * for three at night'
  try {
    if (cronOf(rule.cron, rule.timeZone).nextRun() === null) faults.push({ path: ['cron'], expected, got: `"${rule.cron}", which never comes` })
  } catch (error) {
    faults.push({ path: ['cron'], expected, got: `"${rule.cron}" (${(error as Error).message.replace(/^CronPattern: /, '')})` })
  }
  return faults
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}
