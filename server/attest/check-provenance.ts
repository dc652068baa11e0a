import { isDeepStrictEqual } from 'node:util'
import prettyMs from 'pretty-ms'
import type { Static } from 'typebox'
import type { ImageConfig } from '../api/image.ts'
import { predicateTypes } from './attestation-types.ts'
import { bad, good, problemOf, type Finding } from './finding.ts'
import { statementOf, type Statements } from './read-statements.ts'
import { provenanceSchema } from './render-provenance.ts'
import { predicateOf } from './statement.ts'

type Provenance = Static<typeof provenanceSchema>

/**
 * Whether a signed statement tells how the image was built, and of the same recipe as the image itself; what it tells goes along. `name` is what the image is called
 * here: one image in the place of another is as signed as any.
 */
export function checkProvenance(statements: Statements, name: string, config: ImageConfig | undefined): { finding: Finding; provenance?: Provenance } {
  const statement = statementOf(statements, predicateTypes.provenance)
  if (Array.isArray(statement)) return { finding: bad('provenance', ...statement) }
  let provenance: Provenance
  try {
    provenance = predicateOf(statement, provenanceSchema)
  } catch (error) {
    return { finding: bad('provenance', problemOf(error)) }
  }
  const { externalParameters, internalParameters } = provenance.buildDefinition
  const { image, recipe, job } = externalParameters
  // A config that cannot be read is told elsewhere.
  const [told, own] = [{ image, recipe }, { image: name, recipe: config?.recipe ?? recipe }]
  if (!isDeepStrictEqual(told, own)) {
    return { finding: bad('provenance', `it is that of another image: expected ${JSON.stringify(own)}, got ${JSON.stringify(told)}`), provenance }
  }
  const { startedOn, finishedOn } = provenance.runDetails.metadata
  const took = prettyMs(Math.max(0, Date.parse(finishedOn) - Date.parse(startedOn)), { secondsDecimalDigits: 0 })
  return { finding: good('provenance', `recipe ${recipe.name}, job ${job}, machine ${internalParameters.machine}, built ${finishedOn} in ${took}`), provenance }
}

/** Whether a provenance names an attachment by its digest, and so vouches for it. */
export const vouchesFor = (provenance: Provenance | undefined, name: string, digest: string): boolean =>
  provenance?.runDetails.byproducts.some((each) => each.name === name && `sha256:${each.digest.sha256}` === digest) ?? false
