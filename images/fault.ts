import type { ErrorObject } from 'ajv'
import { closest } from 'fastest-levenshtein'

/** One thing wrong in a value, and where: `path` leads there, for example `['partitions', 1, 'mount']`, and is empty for the value as a whole. */
export interface Fault {
  path: (string | number)[]
  expected: string
  got: string
  /** It lies in the key, not in its value. */
  atKey?: true
}

/** `partitions[1].mount`; empty for the value as a whole. */
export const renderField = (path: readonly (string | number)[]): string =>
  path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('')

/** For example `partitions[1].size: expected a whole number of MiB or GiB, got "4G"`. */
export const renderFault = ({ path, expected, got }: Fault): string => `${path.length === 0 ? '' : `${renderField(path)}: `}expected ${expected}, got ${got}`

/** What Ajv found, in our words; an unknown key with the nearest known one. A schema's `description` says what was expected. */
export function faultsOf(errors: readonly ErrorObject[]): Fault[] {
  const union = errors.findLast(({ keyword }) => keyword === 'anyOf')
  // What a `oneOf` misses in each of its branches says nothing beside it.
  if (union === undefined) return errors.filter(({ schemaPath }) => !/\/oneOf\/\d+\//.test(schemaPath)).map(faultOf)
  // Ajv tells what is wrong by every branch of a union, and then that none fits.
  const below = errors.filter((error) => `${error.instancePath}/`.startsWith(`${union.instancePath}/`) && error.schemaPath.startsWith(`${union.schemaPath}/`))
  const rest = errors.filter((error) => error !== union && !below.includes(error))
  return [...faultsOf(rest), ...faultsOfUnion(union, below)]
}

/** The faults of the one branch that the value is of the type of; when there is no such branch, that something else was expected. */
function faultsOfUnion(union: ErrorObject, below: readonly ErrorObject[]): Fault[] {
  const branches = [...Map.groupBy(below, (error) => error.schemaPath.slice(union.schemaPath.length + 1).split('/')[0]).values()]
  const alike = branches.filter((errors) => !errors.some(({ keyword, instancePath }) => keyword === 'type' && instancePath === union.instancePath))
  if (alike.length === 1) return faultsOf(alike[0]!)
  const described = (union.parentSchema as { description?: string } | undefined)?.description
  const expected = described ?? [...new Set((alike.length > 0 ? alike : branches).map((errors) => faultOf(errors[0]!).expected))].join(' or ')
  return [{ path: pointerPath(union.instancePath), expected, got: show(union.data) }]
}

function faultOf(error: ErrorObject): Fault {
  const path = pointerPath(error.instancePath)
  const schema = (error.parentSchema ?? {}) as { description?: string; properties?: Record<string, unknown>; enum?: unknown[] }
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params.additionalProperty)
      const known = Object.keys(schema.properties ?? {})
      if (known.length === 0) return { path: [...path, key], expected: schema.description ?? 'no key', got: key, atKey: true }
      return { path: [...path, key], expected: `a known key (nearest: ${closest(key, known)}; all: ${known.join(', ')})`, got: key, atKey: true }
    }
    case 'required': {
      const key = String(error.params.missingProperty)
      const described = schema.properties?.[key] as { description?: string } | undefined
      return { path: [...path, key], expected: described?.description ?? 'a value', got: 'nothing' }
    }
    case 'enum': {
      const choices = schema.enum?.join(', ')
      return { path, expected: schema.description === undefined ? `one of ${choices}` : `${schema.description}: ${choices}`, got: show(error.data) }
    }
    // Ours tell which keys exclude one another.
    case 'oneOf':
      return { path, expected: schema.description ?? '', got: error.params.passingSchemas === null ? 'neither of them' : 'both of them' }
    case 'minProperties':
    case 'maxProperties':
      return { path, expected: schema.description ?? '', got: Object.keys(error.data as object).join(' and ') || 'none' }
    case 'maxItems':
      return { path, expected: schema.description ?? `at most ${error.params.limit} of them`, got: String((error.data as unknown[]).length) }
    default:
      return { path, expected: schema.description ?? expectationOf(error), got: show(error.data) }
  }
}

/** What was expected, for a schema without a description. */
function expectationOf({ keyword, params, schema, message }: ErrorObject): string {
  if (keyword === 'type') return [params.type].flat().join(' or ')
  if (keyword === 'const') return show(params.allowedValue)
  if (keyword === 'pattern') return `text that fits ${schema}`
  if (keyword === 'format') return `a ${params.format}`
  if (keyword === 'minItems') return `at least ${params.limit} of them`
  if (keyword === 'minLength' || keyword === 'maxLength') return `${keyword === 'minLength' ? 'at least' : 'at most'} ${params.limit} characters`
  if ('limit' in params && 'comparison' in params) return `a number ${params.comparison} ${params.limit}`
  return message ?? keyword
}

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 200 ? `${text.slice(0, 199)}…` : text
}

/** Keys of a JSON Pointer (RFC 6901). */
const pointerPath = (pointer: string): (string | number)[] =>
  pointer.split('/').slice(1).map((key) => (/^\d+$/.test(key) ? Number(key) : key.replaceAll('~1', '/').replaceAll('~0', '~')))
