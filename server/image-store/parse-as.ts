import type { Static, TSchema } from 'typebox'
import { renderFault } from '../../images/fault.ts'
import { findFaults } from '../../images/parse-document.ts'
import { IngotError } from '../errors.ts'

const refuse = (what: string, problems: string[]) => new IngotError('image-invalid', `${what}: ${problems[0]}`, { problems })

/** Reads JSON of a schema; throws `IngotError` 'image-invalid' naming every wrong field. `what` is what it is called, for example `manifest`. */
export function parseAs<Schema extends TSchema>(schema: Schema, bytes: Uint8Array, what: string): Static<Schema> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw refuse(what, [`expected JSON in UTF-8: ${(error as Error).message}`])
  }
  return requireAs(schema, value, what)
}

/** The same of a value that is read already. */
export function requireAs<Schema extends TSchema>(schema: Schema, value: unknown, what: string): Static<Schema> {
  const problems = findFaults(schema, value).map(renderFault)
  if (problems.length > 0) throw refuse(what, problems)
  return value as Static<Schema>
}
