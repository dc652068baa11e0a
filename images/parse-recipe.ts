import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { closest } from 'fastest-levenshtein'
import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, type Document } from 'yaml'
import { checkRecipe, type RecipeFault } from './check-recipe.ts'
import { recipeSchema, type Recipe } from './recipe.ts'

/** One thing wrong in a recipe's text; line and column count from 1. `field` is empty when it is the text as a whole. */
export interface RecipeProblem {
  line: number
  column: number
  /** Path of the field, for example `partitions[1].size`. */
  field: string
  expected: string
  got: string
}

export type ParsedRecipe = { recipe: Recipe; problems: [] } | { recipe: undefined; problems: RecipeProblem[] }

const validate = new Ajv2020({ allErrors: true, verbose: true }).compile<Recipe>(recipeSchema)

/** Reads the text of a `recipe.yaml` (YAML 1.2): the recipe, or everything that is wrong with it at once. */
export function parseRecipe(text: string): ParsedRecipe {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => {
      const at = lines.linePos(error.pos[0])
      return { line: at.line, column: at.col, field: '', expected: 'YAML', got: error.message }
    })
    return { recipe: undefined, problems }
  }
  const value: unknown = document.toJS()
  let faults: LocatedFault[]
  if (validate(value)) {
    faults = checkRecipe(value)
    if (faults.length === 0) return { recipe: value, problems: [] }
  } else faults = (validate.errors ?? []).map(faultOf)
  const problems = faults.map((fault) => ({ ...positionOf(document, lines, fault), field: renderField(fault.path), expected: fault.expected, got: fault.got }))
  return { recipe: undefined, problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) }
}

/** For example `recipe.yaml:12:5: partitions[1].size: expected a whole number of MiB or GiB, got "4G"`. */
export const renderRecipeProblem = (file: string, { line, column, field, expected, got }: RecipeProblem): string =>
  `${file}:${line}:${column}: ${field === '' ? '' : `${field}: `}expected ${expected}, got ${got}`

const renderField = (path: readonly (string | number)[]) =>
  path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('')

/** A fault that may lie in a key rather than in its value. */
type LocatedFault = RecipeFault & { atKey?: true }

/** What Ajv found, in our words. */
function faultOf(error: ErrorObject): LocatedFault {
  const path = pointerPath(error.instancePath)
  const schema = (error.parentSchema ?? {}) as { description?: string; properties?: Record<string, unknown>; enum?: unknown[] }
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params.additionalProperty)
      const known = Object.keys(schema.properties ?? {})
      return { path: [...path, key], expected: `a known key (nearest: ${closest(key, known)}; all: ${known.join(', ')})`, got: key, atKey: true }
    }
    case 'required': {
      const key = String(error.params.missingProperty)
      const described = schema.properties?.[key] as { description?: string } | undefined
      return { path: [...path, key], expected: described?.description ?? 'a value', got: 'nothing' }
    }
    case 'enum':
      return { path, expected: `${schema.description}: ${schema.enum?.join(', ')}`, got: JSON.stringify(error.data) }
    case 'minProperties':
    case 'maxProperties':
      return { path, expected: schema.description ?? '', got: Object.keys(error.data as object).join(' and ') || 'none' }
    default:
      return { path, expected: schema.description ?? error.message ?? '', got: JSON.stringify(error.data) }
  }
}

/** Keys of a JSON Pointer (RFC 6901). */
const pointerPath = (pointer: string): (string | number)[] =>
  pointer.split('/').slice(1).map((key) => (/^\d+$/.test(key) ? Number(key) : key.replaceAll('~1', '/').replaceAll('~0', '~')))

/** Where the value at a path begins, an unknown key itself, or what should hold a missing one. */
function positionOf(document: Document, lines: LineCounter, { path, atKey }: LocatedFault): { line: number; column: number } {
  const parent = document.getIn(path.slice(0, -1), true)
  const key = path.at(-1)
  const pair = isMap(parent) ? parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key) : undefined
  const node = pair === undefined ? document.getIn(path, true) : isScalar(pair.value) && atKey === undefined ? pair.value : pair.key
  const range = isNode(node) ? node.range : isNode(parent) ? parent.range : undefined
  const at = lines.linePos(range?.[0] ?? 0)
  return { line: at.line, column: at.col }
}
