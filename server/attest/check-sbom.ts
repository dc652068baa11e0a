import { isDeepStrictEqual } from 'node:util'
import { Type } from 'typebox'
import { parseAs } from '../image-store/parse-as.ts'
import { attestationTypes, predicateTypes } from './attestation-types.ts'
import { bad, good, problemOf, type Finding } from './finding.ts'
import type { Attachments } from './read-attachments.ts'
import { statementOf, type Statements } from './read-statements.ts'
import { predicateOf } from './statement.ts'

const spdxSchema = Type.Object({ spdxVersion: Type.String(), packages: Type.Array(Type.Object({ SPDXID: Type.String() })) })

/** Whether the bill of materials is signed, and one that stands beside it for everybody's tools is the same. */
export async function checkSbom({ found, problems, read }: Attachments, statements: Statements): Promise<Finding> {
  const statement = statementOf(statements, predicateTypes.spdx)
  if (Array.isArray(statement)) return bad('sbom', ...statement)
  const plain = found.filter(({ artifactType }) => artifactType === attestationTypes.spdx)
  // Copied without it, the signed one is enough.
  if (plain.length === 0 && problems.length > 0) return bad('sbom', ...problems)
  try {
    const { spdxVersion, packages } = predicateOf(statement, spdxSchema)
    for (const layer of plain.flatMap(({ layers }) => layers)) {
      const document = parseAs(spdxSchema, await read(layer), 'document')
      if (!isDeepStrictEqual(document, statement.predicate)) return bad('sbom', `the document ${layer.digest} is another than the signed one`)
    }
    // The first is the image itself.
    return good('sbom', `${spdxVersion}, packages: ${packages.length - 1}`)
  } catch (error) {
    return bad('sbom', problemOf(error))
  }
}
