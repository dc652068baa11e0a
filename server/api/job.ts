import { Type, type Static } from 'typebox'

const closed = { additionalProperties: false }

/** A job's identifier, for example `debian-12-20261123-1`: a file name, a URL segment and an OCI tag at once. */
export const jobIdSchema = Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,99}$' })

/**
 * One job as it stands in `jobs.json` (B1-B4), for example `{ "id": "web-1", "recipe": "debian-12-nginx" }`: a person may write it by hand.
 * Its script stands beside it as `plans/<id>.json`, and is made from the recipe when it is not there.
 */
export const jobEntrySchema = Type.Object(
  {
    id: jobIdSchema,
    /** Name of the recipe. */
    recipe: Type.String({ minLength: 1 }),
    /** Higher goes first; jobs of equal priority keep the order of the list. Default 0. */
    priority: Type.Optional(Type.Integer({ minimum: -1000, maximum: 1000 })),
    /** Seconds from claim to finished image (B9). Default 14400, four hours. */
    timeLimitSeconds: Type.Optional(Type.Integer({ minimum: 60 })),
    createdAt: Type.Optional(Type.String({ format: 'date-time' })),
  },
  closed,
)
export type JobEntry = Static<typeof jobEntrySchema>

/** A job with every default filled in. */
export type Job = JobEntry & { priority: number; timeLimitSeconds: number }

export const withJobDefaults = (entry: JobEntry): Job => ({ ...entry, priority: entry.priority ?? 0, timeLimitSeconds: entry.timeLimitSeconds ?? 14_400 })

/** The list, as the file `jobs.json` and, with the state of each job, as `GET /jobs.json` (B2, B7). */
export const jobListSchema = Type.Object({ version: Type.Literal(1), jobs: Type.Array(jobEntrySchema) }, closed)
export interface JobList {
  version: 1
  jobs: Job[]
}

/** A job as `GET /jobs.json` tells it: `available` has no status file, `selected` is held by a worker or just performed (B6). */
export type ListedJob = Job & { state: 'available' | 'selected' | 'failed' }

/** Body of `POST /jobs`: an operator asks for a job from a recipe. */
export const newJobSchema = Type.Object(
  {
    recipe: Type.String({ minLength: 1 }),
    priority: Type.Optional(Type.Integer({ minimum: -1000, maximum: 1000 })),
    timeLimitSeconds: Type.Optional(Type.Integer({ minimum: 60 })),
  },
  closed,
)
export type NewJob = Static<typeof newJobSchema>
