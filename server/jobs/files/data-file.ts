import { readFile, stat } from 'node:fs/promises'
import type { Static, TSchema } from 'typebox'
import { parseDocumentAs, renderProblem } from '../../../images/parse-document.ts'
import { IngotError } from '../../errors.ts'

/** For `stat`: a file that is not there is `undefined`, which costs far less than an error. */
export const ifThere = { throwIfNoEntry: false } as const

/** The text of a file, or nothing when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  if ((await stat(path, ifThere)) === undefined) return undefined
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** A file of the data directory, checked, or nothing when there is none. Throws `IngotError` 'data-invalid' with line and column of all that is wrong. */
export async function readDataFile<Schema extends TSchema>(schema: Schema, path: string): Promise<Static<Schema> | undefined> {
  const text = await readIfThere(path)
  if (text === undefined) return undefined
  const { value, problems } = parseDocumentAs(schema, text)
  if (problems.length > 0) throw new IngotError('data-invalid', `${path} is not as expected`, { problems: problems.map((problem) => renderProblem(path, problem)) })
  return value as Static<Schema>
}

/** How a file of the data directory is written, for people to read. */
export const renderDataFile = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
