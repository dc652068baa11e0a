import { InvalidArgumentError, Option, type Command } from 'commander'
import type { JobPatch, NewJob, Place } from '../../api/job.ts'
import { IngotError } from '../../errors.ts'
import { machineId } from '../machine-id.ts'
import { parseRequirements } from './requirement-arguments.ts'

/** The options by which `add` and `edit` choose what becomes of a job. */
export interface ChoiceOptions {
  priority?: number
  timeLimit?: number
  silenceLimit?: number
  whenLost?: 'reclaim' | 'remove'
  maxAttempts?: number
  requires?: string[]
  assign?: string
}

/** What each of these options is called on the wire. */
const fields = {
  priority: 'priority',
  'time-limit': 'timeLimitSeconds',
  'silence-limit': 'silenceLimitSeconds',
  'when-lost': 'whenLost',
  'max-attempts': 'maxAttempts',
  requires: 'requires',
  assign: 'assignedTo',
} as const satisfies Record<string, keyof JobPatch>
export type ChoiceName = keyof typeof fields
export const choiceNames = Object.keys(fields) as ChoiceName[]

/** Reads an option's value; commander names the option when this throws. */
export function wholeNumber(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('Expected a whole number.')
  return Number(text)
}

/** All of them but the machine, which a command may call otherwise. */
export const withConditions = (command: Command): Command =>
  command
    .option('--priority <number>', 'higher goes first (default 0)', wholeNumber)
    .option('--time-limit <seconds>', 'from claim to received image (default 14400)', wholeNumber)
    .option('--silence-limit <seconds>', 'without a sign of life after which the worker counts as gone (default 60)', wholeNumber)
    .addOption(new Option('--when-lost <action>', 'what becomes of a job whose worker is gone or whose time is over (default reclaim)').choices(['reclaim', 'remove']))
    .option('--max-attempts <number>', 'attempts that may be lost before the job counts as failed (default 3)', wholeNumber)
    .option('--requires <key=value...>', 'what a machine must have: firmware, architecture, memoryMiB, diskCount, diskGiB, labels.KEY, machines=ID,ID')

export const withChoices = (command: Command): Command => withConditions(command).option('--assign <machine>', 'push the job to this machine, and to nobody else')

/** The choices as they go over the wire; what was not given is left out. */
export function choicesFrom({ priority, timeLimit, silenceLimit, whenLost, maxAttempts, requires, assign }: ChoiceOptions): Omit<NewJob, 'id' | 'recipe' | 'deploy'> {
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(timeLimit === undefined ? {} : { timeLimitSeconds: timeLimit }),
    ...(silenceLimit === undefined ? {} : { silenceLimitSeconds: silenceLimit }),
    ...(whenLost === undefined ? {} : { whenLost }),
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(requires === undefined ? {} : { requires: parseRequirements(requires) }),
    ...(assign === undefined ? {} : { assignedTo: machineId(assign) }),
  }
}

/** What `edit` changes; `unset` takes a choice back to its default. Throws `IngotError` 'argument-invalid' when that is nothing. */
export function patchFrom({ unset = [], ...options }: ChoiceOptions & { unset?: ChoiceName[] }): JobPatch {
  const patch: JobPatch = { ...choicesFrom(options), ...Object.fromEntries(unset.map((name) => [fields[name], null])) }
  if (Object.keys(patch).length === 0) throw new IngotError('argument-invalid', 'expected what to change, for example --priority 5 or --unset requires, got nothing')
  return patch
}

export interface PlaceOptions {
  before?: string
  after?: string
  first?: true
  last?: true
}

export const withPlace = (command: Command): Command =>
  command
    .addOption(new Option('--before <job>', 'before that job, with its priority').conflicts(['after', 'first', 'last']))
    .addOption(new Option('--after <job>', 'after that job, with its priority').conflicts(['before', 'first', 'last']))
    .addOption(new Option('--first', 'before all others').conflicts(['before', 'after', 'last']))
    .addOption(new Option('--last', 'after all others of its priority').conflicts(['before', 'after', 'first']))

export function placeFrom({ before, after, first, last }: PlaceOptions): Place | undefined {
  if (before !== undefined) return { before }
  if (after !== undefined) return { after }
  if (first === true) return { at: 'first' }
  return last === true ? { at: 'last' } : undefined
}
