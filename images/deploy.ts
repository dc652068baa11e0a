import { Type, type Static } from 'typebox'
import { identityFields } from './identity.ts'
import { diskChoiceFields } from './recipe.ts'

/** What a job of kind deploy is to do: which image goes onto a machine's disk, onto which of its disks, and who the machine then is. */
export const deploySchema = Type.Object(
  {
    /** Name of the image, for example `debian-12-nginx`. */
    image: Type.String({ pattern: '^[a-z0-9]+([._-][a-z0-9]+)*$', description: 'the name of an image, like debian-12' }),
    /** A version of it or the digest of one. Default: the newest when the job's script is made. */
    version: Type.Optional(Type.String({ pattern: '^([a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}|sha256:[0-9a-f]{64})$', description: 'a version of the image, or its digest' })),
    /** Which disk of the machine is written (F1). Default: the only one that is large enough. */
    disk: Type.Optional(Type.Object(diskChoiceFields, { additionalProperties: false, description: 'the rule by which the disk is chosen' })),
    ...identityFields,
  },
  { additionalProperties: false, description: 'the image, and what its copy is to be' },
)
export type Deploy = Static<typeof deploySchema>
