import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { Static, TSchema } from 'typebox'
import { isNode, LineCounter, parseDocument, type Document } from 'yaml'
import { formatPath, schemaProblems, type SchemaProblem } from './describe-schema-errors.ts'

const ajv = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true })
addFormats.default(ajv)
const compiled = new WeakMap<object, ValidateFunction>()

/** Everything wrong with a value, measured against a schema; empty when it fits. */
export function findProblems(schema: TSchema, value: unknown): SchemaProblem[] {
  let validate = compiled.get(schema)
  if (validate === undefined) compiled.set(schema, (validate = ajv.compile(schema)))
  return validate(value) ? [] : schemaProblems(validate.errors as ErrorObject[])
}

/** A YAML or JSON text after reading: its value, or what is wrong, each line led by `line:column`. */
export type ParsedDocument<Value> = { value: Value; problems: [] } | { value: undefined; problems: string[] }

/**
 * Reads YAML (JSON is YAML too) and measures it against a schema. `furtherProblems` finds what a schema cannot say; it runs only on a value
 * that fits the schema. A problem reads `7:11 partitions[0].size: expected …, got "big"`.
 */
export function parseDocumentAs<Schema extends TSchema>(
  schema: Schema,
  text: string,
  furtherProblems: (value: Static<Schema>) => SchemaProblem[] = () => [],
): ParsedDocument<Static<Schema>> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${line}:${col}`
  }
  if (document.errors.length > 0) return { value: undefined, problems: document.errors.map((error) => `${at(error.pos[0])} ${error.message}`) }
  const value: unknown = document.toJS()
  const problems = findProblems(schema, value)
  if (problems.length === 0) problems.push(...furtherProblems(value as Static<Schema>))
  if (problems.length === 0) return { value: value as Static<Schema>, problems: [] }
  const placed = problems.map(({ path, message }) => ({ offset: offsetOf(document, path), text: `${formatPath(path)}: ${message}` }))
  placed.sort((one, other) => one.offset - other.offset)
  return { value: undefined, problems: placed.map(({ offset, text }) => `${at(offset)} ${text}`) }
}

/** Where the value at a path begins; for one that is missing, where its nearest parent begins. */
function offsetOf(document: Document.Parsed, path: readonly (string | number)[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return 0
}
