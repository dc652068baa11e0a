import { Type, type Static } from 'typebox'
import { jobEntrySchema, type ListedJob } from './job.ts'
import { failureSchema, statusSchema, type Status } from './status.ts'

const closed = { additionalProperties: false }

/**
 * Why a claim ended without an image. `silent`: no sign of life within the silence limit. `given-back`: the worker was started anew. `unproven`: a copy
 * of its image did not boot or did not pass the checks.
 */
export const lossSchema = Type.Enum(['silent', 'time-limit', 'given-back', 'unproven', 'failed', 'cancelled'])
export type Loss = Static<typeof lossSchema>

/** A claim that has ended. */
export const endedAttemptSchema = Type.Object(
  {
    attempt: Type.Integer({ minimum: 1 }),
    worker: Type.String(),
    claimHash: Type.String(),
    claimedAt: Type.String({ format: 'date-time' }),
    endedAt: Type.String({ format: 'date-time' }),
    loss: lossSchema,
    failure: Type.Optional(failureSchema),
  },
  closed,
)
export type EndedAttempt = Static<typeof endedAttemptSchema>

/** The file `history/<job>.json`: the attempts at a job that came to nothing. It is there only when there were any. */
export const historySchema = Type.Object(
  {
    version: Type.Literal(1),
    attempts: Type.Array(endedAttemptSchema),
    /** The job may not be taken before this moment. */
    notBefore: Type.Optional(Type.String({ format: 'date-time' })),
  },
  closed,
)
export type History = Static<typeof historySchema>

/** A job that has left the list: `performed/<version>.json` once its image was received (B10), `removed/<id>.json` when it was taken off. */
export const endedJobSchema = Type.Object(
  {
    version: Type.Literal(1),
    job: jobEntrySchema,
    end: Type.Enum(['performed', 'removed']),
    endedAt: Type.String({ format: 'date-time' }),
    status: Type.Optional(statusSchema),
    history: Type.Optional(historySchema),
  },
  closed,
)
export type EndedJob = Static<typeof endedJobSchema>

/** Answer to `GET /jobs/<id>`: all that is known of a job; for one that has left the list, what was kept. */
export interface JobDetails {
  job: ListedJob | EndedJob['job']
  /** Present when the job has left the list. */
  end?: EndedJob['end']
  status?: Status
  attempts: EndedAttempt[]
  /** For a job that is not every machine's: whether each known machine could take it, and what speaks against it. */
  machines: { machine: string; problems: string[] }[]
}
