import type { ErrorObject } from 'ajv'
import { closest } from 'fastest-levenshtein'

/** Where a value is wrong and how, for example `{ path: ['partitions', 0, 'size'], message: 'expected "rest" or …, got "big"' }`. */
export interface SchemaProblem {
  path: (string | number)[]
  message: string
}

const pathOf = (pointer: string): (string | number)[] =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part))

/** `partitions[0].size`, or `(the whole)` for the top. */
export const formatPath = (path: readonly (string | number)[]): string =>
  path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`), '') || '(the whole)'

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

function expectation(error: ErrorObject): string {
  const { keyword, params, schema, parentSchema } = error
  if (keyword === 'type') return `expected ${[params.type].flat().join(' or ')}`
  if (keyword === 'const') return `expected ${show(params.allowedValue)}`
  if (keyword === 'enum') return `expected one of ${(params.allowedValues as unknown[]).map(show).join(', ')}`
  if (keyword === 'pattern') return `expected text like ${parentSchema?.description ?? schema}`
  if (keyword === 'format') return `expected a ${params.format}`
  if (keyword === 'minItems') return `expected at least ${params.limit} entries`
  if (keyword === 'minLength' || keyword === 'maxLength') return `expected ${keyword === 'minLength' ? 'at least' : 'at most'} ${params.limit} characters`
  if ('limit' in params && 'comparison' in params) return `expected a number ${params.comparison} ${params.limit}`
  return `expected what the schema says: ${error.message ?? keyword}`
}

/** Everything wrong with a value, each with its place, what was expected and what was got; an unknown key with the nearest known one. */
export function schemaProblems(errors: readonly ErrorObject[]): SchemaProblem[] {
  const problems = new Map<string, SchemaProblem & { choices: string[]; got: string }>()
  const unionPlaces = new Set(errors.filter((error) => error.keyword === 'anyOf').map((error) => error.instancePath))
  for (const error of errors) {
    if (error.keyword === 'anyOf' || error.keyword === 'oneOf' || error.keyword === 'if') continue
    // In a union a value is measured against each member; a missing or extra key of the members that were not meant says nothing.
    if (unionPlaces.has(error.instancePath) && errors.some((other) => other !== error && other.instancePath.startsWith(`${error.instancePath}/`))) continue
    let path = pathOf(error.instancePath)
    let message: string
    let got = ''
    if (error.keyword === 'additionalProperties') {
      const key = String(error.params.additionalProperty)
      const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {})
      path = [...path, key]
      message = known.length === 0 ? 'unknown key' : `unknown key; the nearest known one is \`${closest(key, known)}\``
    } else if (error.keyword === 'required') {
      path = [...path, String(error.params.missingProperty)]
      message = 'expected a value, got none'
    } else {
      message = expectation(error)
      got = `, got ${show(error.data)}`
    }
    const place = formatPath(path)
    const known = problems.get(place)
    if (known === undefined) problems.set(place, { path, message, choices: [message], got })
    else if (!known.choices.includes(message)) known.choices.push(message)
  }
  return [...problems.values()].map(({ path, choices, got }) => ({
    path,
    message: choices.map((choice, index) => (index === 0 ? choice : choice.replace(/^expected /, ''))).join(' or ') + got,
  }))
}

/** The problems as lines, for example `partitions[0].size: expected …, got "big"`. */
export const describeSchemaErrors = (errors: readonly ErrorObject[]): string[] =>
  schemaProblems(errors).map(({ path, message }) => `${formatPath(path)}: ${message}`)
