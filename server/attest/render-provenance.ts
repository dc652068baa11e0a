import { Type } from 'typebox'
import { hexOf } from '../image-store/digest.ts'
import type { Image } from '../image-store/open-image-store.ts'
import type { BuildFacts } from './build-facts.ts'
import { imageUrl, packageUrl } from './package-url.ts'
import type { Tool } from './render-sbom.ts'

/** Something else that is attached to the image, and so comes under the signature of the provenance. */
export interface Byproduct {
  name: string
  digest: string
  mediaType: string
}

/** A predicate of SLSA Provenance v1 (slsa.dev/spec/v1.0/provenance), as far as we read it back. */
export const provenanceSchema = Type.Object({
  buildDefinition: Type.Object({
    buildType: Type.String(),
    externalParameters: Type.Object({ recipe: Type.Object({ name: Type.String(), digest: Type.String() }), image: Type.String(), job: Type.String() }),
    internalParameters: Type.Object({ machine: Type.String() }),
  }),
  runDetails: Type.Object({
    builder: Type.Object({ id: Type.String() }),
    metadata: Type.Object({ startedOn: Type.String(), finishedOn: Type.String() }),
    byproducts: Type.Array(Type.Object({ name: Type.String(), digest: Type.Record(Type.String(), Type.String()) })),
  }),
})

/** Of what, where and when an image was built, in the terms of SLSA: the parameters are what a user chose, the machine is what came of it. */
export function renderProvenance({ name, config }: Image, facts: BuildFacts, { byproducts, tool }: { byproducts: readonly Byproduct[]; tool: Tool }) {
  const { recipe, job, attempt, machine, startedAt, components, base } = facts
  const { firmware, architecture, packages, builtAt, workerVersion, programs = {} } = config
  return {
    buildDefinition: {
      buildType: 'https://ingot.dev/recipe-build/v1',
      externalParameters: { recipe, image: name, job, firmware, architecture },
      internalParameters: { machine },
      resolvedDependencies: [
        ...(base === undefined ? [] : [{ uri: imageUrl(base), digest: { sha256: hexOf(base.digest) } }]),
        ...components.map((component) => ({ name: component.name, digest: { sha256: hexOf(component.digest) } })),
        ...packages.map((installed) => ({ uri: packageUrl(installed) })),
      ],
    },
    runDetails: {
      builder: { id: 'https://ingot.dev/builder/v1', version: { [tool.name]: tool.version, worker: workerVersion, ...programs } },
      metadata: { invocationId: `${job}/${attempt}`, startedOn: startedAt, finishedOn: builtAt },
      byproducts: byproducts.map(({ digest, ...rest }) => ({ ...rest, digest: { sha256: hexOf(digest) } })),
    },
  }
}
