import { attestationTypes, type predicateTypes } from './attestation-types.ts'
import { openEnvelope } from './dsse.ts'
import { problemOf } from './finding.ts'
import type { Attachments } from './read-attachments.ts'
import type { PublicKey } from './signing-key.ts'
import { isAbout, parseStatement, type Statement } from './statement.ts'

/** The statements about an image that a key has signed, and why others do not count, by what they claim to be. */
export interface Statements {
  signed: Statement[]
  faults: { predicateType: string | undefined; problem: string }[]
}

export async function readStatements({ found, read }: Attachments, digest: string, key: PublicKey): Promise<Statements> {
  const statements: Statements = { signed: [], faults: [] }
  for (const layer of found.flatMap(({ layers }) => layers).filter(({ mediaType }) => mediaType === attestationTypes.envelope)) {
    const refuse = (problem: string) => void statements.faults.push({ predicateType: layer.annotations?.predicateType, problem })
    try {
      const payload = openEnvelope(await read(layer), attestationTypes.statement, key)
      if (payload === undefined) {
        refuse(`its envelope does not fit the key ${key.fingerprint}: signed with another, or changed afterwards`)
        continue
      }
      const statement = parseStatement(payload)
      if (isAbout(statement, digest)) statements.signed.push(statement)
      else refuse('it is about another image')
    } catch (error) {
      refuse(problemOf(error))
    }
  }
  return statements
}

/** A signed statement of a kind, or why there is none. The one under the tag is the newest, and comes first. */
export function statementOf({ signed, faults }: Statements, type: (typeof predicateTypes)[keyof typeof predicateTypes]): Statement | string[] {
  const statement = signed.find(({ predicateType }) => predicateType === type)
  if (statement !== undefined) return statement
  const problems = faults.filter(({ predicateType }) => predicateType === type || predicateType === undefined).map(({ problem }) => problem)
  return problems.length > 0 ? problems : ['none is attached']
}
