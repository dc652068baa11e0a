import { Type } from 'typebox'
import { digestSchema } from '../../../images/component.ts'
import { auditEntrySchema } from '../../api/audit.ts'
import { endedAttemptSchema, endedJobSchema } from '../../api/history.ts'
import { imageConfigSchema } from '../../api/image.ts'
import { jobEntrySchema, listedStates } from '../../api/job.ts'
import { inventorySchema, labelsSchema, machineSystemSchema } from '../../api/machine.ts'
import { roles } from '../../api/role.ts'
import { progressSchema, statusSchema } from '../../api/status.ts'
import { listedTokenSchema } from '../../api/token.ts'

/*
 * The shapes of answers, of the same schemas that files and requests are checked by. Fields may be added to an answer at any time, so that none of them is
 * closed. A test holds what the server really answers against them.
 */

const time = Type.String({ format: 'date-time' })
const problems = Type.Optional(Type.Array(Type.String(), { description: 'what is wrong with the list as it stands on the disk, or who behind a master does not answer' }))
const version = Type.Literal(1)

export const listedJobSchema = Type.Object({
  ...jobEntrySchema.properties,
  state: Type.Enum([...listedStates]),
  attempt: Type.Integer({ description: 'attempts begun so far, the present one included' }),
  worker: Type.Optional(Type.String({ description: 'who holds it, or held it last' })),
  progress: Type.Optional(progressSchema),
  notBefore: Type.Optional(time),
  blocked: Type.Optional(Type.String({ description: 'why no known machine can take it' })),
  origin: Type.Optional(Type.String({ description: 'at a master: the first computer that it comes from' })),
})

export const jobListSchema = Type.Object({ version, jobs: Type.Array(listedJobSchema), problems })
export const performedListSchema = Type.Object({ version, jobs: Type.Array(endedJobSchema), problems })

export const jobDetailsSchema = Type.Object({
  job: Type.Object(jobEntrySchema.properties),
  end: Type.Optional(Type.Enum(['performed', 'removed'])),
  status: Type.Optional(statusSchema),
  attempts: Type.Array(endedAttemptSchema),
  machines: Type.Array(Type.Object({ machine: Type.String(), problems: Type.Array(Type.String()) })),
})

export const machineSchema = Type.Object({
  id: Type.String(),
  inventory: Type.Optional(inventorySchema),
  seenAt: Type.Optional(time),
  scratchSerials: Type.Array(Type.String(), { description: 'disks of the machine that may be overwritten' }),
  labels: labelsSchema,
  system: Type.Optional(machineSystemSchema),
})
export const machineListSchema = Type.Object({ version, machines: Type.Array(machineSchema), problems })
export const machineAnswerSchema = Type.Object({ scratchSerials: Type.Array(Type.String()), packagesUrl: Type.Optional(Type.String()) })

const imageSummary = {
  name: Type.String(),
  version: Type.String(),
  digest: digestSchema,
  publishedAt: time,
  builtAt: time,
  diskBytes: Type.Integer(),
  storedBytes: Type.Integer(),
  firmware: imageConfigSchema.properties.firmware,
  recipe: imageConfigSchema.properties.recipe,
  job: Type.String(),
  machine: Type.String(),
  packageCount: Type.Integer(),
  proof: Type.Union([Type.Object({}), Type.Null()], { description: 'how it was proven' }),
  signature: Type.Object({ tells: Type.String(), problems: Type.Array(Type.String()) }),
}
export const imageListSchema = Type.Object({ version, images: Type.Array(Type.Object(imageSummary)) })
export const imageSchema = Type.Object({
  ...imageSummary,
  architecture: Type.String(),
  sectorBytes: Type.Integer(),
  workerVersion: Type.String(),
  partitions: imageConfigSchema.properties.partitions,
  packages: imageConfigSchema.properties.packages,
})

const standing = Type.Object({}, { description: 'where the machine is, and why it stopped if it did' })
export const timelineSchema = Type.Object({ version, machine: Type.String(), now: standing, events: Type.Array(Type.Object({ time, machine: Type.String(), hop: Type.String() })) })
export const timelineListSchema = Type.Object({ version, machines: Type.Array(Type.Object({ machine: Type.String(), now: standing })), problems })
export const overviewSchema = Type.Object({ revision: Type.String() }, { description: 'machines and jobs' })

export const recipeListSchema = Type.Object({ version, recipes: Type.Array(Type.String()) })
export const credentialSchema = Type.Object({ machine: Type.String(), credential: Type.String(), servers: Type.Array(Type.Object({ url: Type.String(), credential: Type.String(), fingerprint: Type.Optional(Type.String()) })) })
export const sessionSchema = Type.Object({ role: Type.Enum([...roles]), name: Type.String(), expiresAt: Type.Optional(time) })
export const planSchema = Type.Object({ version, steps: Type.Array(Type.Object({ kind: Type.String() })) }, { description: 'the steps that a worker performs, in order' })
export const healthSchema = Type.Object({ status: Type.Literal('up') })
export const readinessSchema = Type.Object({ status: Type.Literal('ready'), checks: Type.Array(Type.String()) })

/** A refusal (RFC 9457). */
export const problemSchema = Type.Object(
  {
    type: Type.String({ description: 'what went wrong, for programs: one of the URNs listed at the beginning' }),
    title: Type.String({ description: 'what went wrong, for people' }),
    status: Type.Integer(),
    instance: Type.String({ description: 'names this answer in the log of the server' }),
    problems: Type.Optional(Type.Array(Type.String(), { description: 'one for each field that is wrong' })),
  },
  { title: 'Problem' },
)

export const tokenListSchema = Type.Object({ version, tokens: Type.Array(listedTokenSchema) })
export const auditSchema = Type.Object({ version, entries: Type.Array(auditEntrySchema) })
