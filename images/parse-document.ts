import type { ErrorObject, ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { Static, TSchema } from 'typebox'
import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, type Document } from 'yaml'
import { faultsOf, renderField, type Fault } from './fault.ts'

const ajv = new Ajv2020({ allErrors: true, verbose: true, allowUnionTypes: true })
addFormats.default(ajv)
const compiled = new WeakMap<object, ValidateFunction>()

/** Everything wrong with a value, measured against a schema; empty when it fits. */
export function findFaults(schema: TSchema, value: unknown): Fault[] {
  let validate = compiled.get(schema)
  if (validate === undefined) compiled.set(schema, (validate = ajv.compile(schema)))
  return validate(value) ? [] : faultsOf(validate.errors as ErrorObject[])
}

/** One thing wrong in a text; line and column count from 1. `field` is empty when it is the text as a whole. */
export interface Problem {
  line: number
  column: number
  /** Path of the field, for example `partitions[1].size`. */
  field: string
  expected: string
  got: string
}

/** For example `recipe.yaml:12:5: partitions[1].size: expected a whole number of MiB or GiB, got "4G"`. */
export const renderProblem = (file: string, { line, column, field, expected, got }: Problem): string =>
  `${file}:${line}:${column}: ${field === '' ? '' : `${field}: `}expected ${expected}, got ${got}`

export type ParsedDocument<Value> = { value: Value; problems: [] } | { value: undefined; problems: Problem[] }

/**
 * Reads YAML 1.2, and so JSON, and measures it against a schema: the value, or everything that is wrong with it at once, in the order of the
 * text. `check` finds what a schema cannot say; it gets only values that fit the schema.
 */
export function parseDocumentAs<Schema extends TSchema>(schema: Schema, text: string, check: (value: Static<Schema>) => Fault[] = () => []): ParsedDocument<Static<Schema>> {
  const json = readJson(text)
  if (json !== undefined && findFaults(schema, json).length === 0 && check(json as Static<Schema>).length === 0) return { value: json as Static<Schema>, problems: [] }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => {
      const at = lines.linePos(error.pos[0])
      return { line: at.line, column: at.col, field: '', expected: 'YAML', got: error.message }
    })
    return { value: undefined, problems }
  }
  const value: unknown = document.toJS()
  const faults = findFaults(schema, value)
  if (faults.length === 0) faults.push(...check(value as Static<Schema>))
  if (faults.length === 0) return { value: value as Static<Schema>, problems: [] }
  const problems = faults.map((fault) => ({ ...positionOf(document, lines, fault), field: renderField(fault.path), expected: fault.expected, got: fault.got }))
  return { value: undefined, problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) }
}

/** What a server wrote itself is JSON and read many times a second; only a person's text, or a fault to be placed, needs the YAML parser. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Where the value at a path begins, an unknown key itself, or what should hold a missing one. */
function positionOf(document: Document, lines: LineCounter, { path, atKey }: Fault): { line: number; column: number } {
  const parent = document.getIn(path.slice(0, -1), true)
  const key = path.at(-1)
  const pair = isMap(parent) ? parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key) : undefined
  const node = pair === undefined ? document.getIn(path, true) : isScalar(pair.value) && atKey === undefined ? pair.value : pair.key
  const range = isNode(node) ? node.range : isNode(parent) ? parent.range : undefined
  const at = lines.linePos(range?.[0] ?? 0)
  return { line: at.line, column: at.col }
}
