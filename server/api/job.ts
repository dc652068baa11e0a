import { Type, type Static } from 'typebox'

const closed = { additionalProperties: false }

/** A job's identifier, for example `debian-12-20261123-1`: a file name, a URL segment and an OCI tag at once. */
export const jobIdSchema = Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,99}$' })

/** One job of the list (B1, B3, B4). Its script stands beside it as `plans/<id>.json`. */
export const jobSchema = Type.Object(
  {
    id: jobIdSchema,
    /** What the job does; `build` makes an image from a recipe. */
    operation: Type.Literal('build'),
    /** Name of the recipe, for example `debian-12-nginx`. */
    recipe: Type.String(),
    /** Name of the image it publishes. */
    image: Type.String(),
    /** Higher goes first; jobs of equal priority keep the order of the list. */
    priority: Type.Integer({ minimum: -1000, maximum: 1000, default: 0 }),
    /** Seconds from claim to finished image (B9). */
    timeLimitSeconds: Type.Integer({ minimum: 60, default: 14400 }),
    createdAt: Type.String({ format: 'date-time' }),
  },
  closed,
)
export type Job = Static<typeof jobSchema>

/** The list, as the file `jobs.json` and as `GET /jobs.json` (B2, B7). */
export const jobListSchema = Type.Object({ version: Type.Literal(1), jobs: Type.Array(jobSchema) }, closed)
export type JobList = Static<typeof jobListSchema>

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
