import { Type, type Static } from 'typebox'
import { deploySchema } from '../../images/deploy.ts'
import { labelsSchema } from './machine.ts'
import type { Progress } from './status.ts'

const closed = { additionalProperties: false }

/** A job's identifier, for example `debian-12-20261123-1`: a file name, a URL segment and an OCI tag at once. */
export const jobIdSchema = Type.String({
  pattern: '^[a-z0-9][a-z0-9._-]{0,99}$',
  description: 'the id of a job: up to 100 lower-case letters, digits, dots, dashes and underscores',
})

/** A machine's identifier: the MAC of its boot NIC with dashes, or the name of a worker's credential. */
export const workerIdSchema = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$',
  description: 'the id of a machine: up to 100 letters, digits, dots, dashes, colons and underscores',
})

/** Which machines may take a job: every field that is given must hold. Judged by the inventory that the machine sent, and its labels. */
export const requirementsSchema = Type.Object(
  {
    firmware: Type.Optional(Type.Enum(['bios', 'uefi'])),
    architecture: Type.Optional(Type.Literal('amd64')),
    /** Least memory in MiB, as the machine's kernel counts it. */
    memoryMiB: Type.Optional(Type.Integer({ minimum: 1 })),
    /** At least `diskCount` (default 1) fixed disks of at least `diskGiB` (default any size). */
    diskCount: Type.Optional(Type.Integer({ minimum: 1 })),
    diskGiB: Type.Optional(Type.Integer({ minimum: 1 })),
    /** Labels that an operator gave to the machine, for example `{ "rack": "b2" }`. */
    labels: Type.Optional(labelsSchema),
    /** One of these machines, by id. */
    machines: Type.Optional(Type.Array(workerIdSchema, { minItems: 1 })),
  },
  closed,
)
export type Requirements = Static<typeof requirementsSchema>

/** What an operator may choose for a job, when it is made and later. */
const choices = {
  /** Higher goes first; jobs of equal priority keep the order of the list. Default 0. */
  priority: Type.Optional(Type.Integer({ minimum: -1000, maximum: 1000 })),
  /** Seconds from claim to received image (B9). Default 14400, four hours. */
  timeLimitSeconds: Type.Optional(Type.Integer({ minimum: 1 })),
  /** Seconds without a sign of life after which the worker counts as gone. Default 60; workers report every 10. */
  silenceLimitSeconds: Type.Optional(Type.Integer({ minimum: 1 })),
  /** What becomes of a job whose worker is gone or whose time is over (B9): it may be taken again, or leaves the list. Default reclaim. */
  whenLost: Type.Optional(Type.Enum(['reclaim', 'remove'])),
  /** Claims that may be lost before the job counts as failed. Default 3. */
  maxAttempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  requires: Type.Optional(requirementsSchema),
  /** The machine that this job was pushed to (B18): goes before all else there, and to nobody else. */
  assignedTo: Type.Optional(workerIdSchema),
}

/** What a job does: exactly one of these. */
const work = {
  /** Builds the image of the recipe of this name. */
  recipe: Type.Optional(Type.String({ minLength: 1 })),
  /**
   * Whether a build may start from what an earlier one kept of the same first steps, and keeps that for later ones. Default true; with false all steps are
   * performed and only the image is kept.
   */
  cache: Type.Optional(Type.Boolean()),
  /** Writes an image onto the disk of a machine, which is that machine's system from then on. */
  deploy: Type.Optional(deploySchema),
}
export const exactlyOneWork = { oneOf: [{ properties: { recipe: true }, required: ['recipe'] }, { properties: { deploy: true }, required: ['deploy'] }], dependencies: { cache: ['recipe'] }, description: 'a job with either recipe or deploy' }

/**
 * One job as it stands in `jobs.json` (B1-B4), for example `{ "id": "web-1", "recipe": "debian-12-nginx" }` or
 * `{ "id": "web-2", "deploy": { "image": "web", "hostname": "web-2" } }`: a person may write it by hand.
 * Its script stands beside it as `plans/<id>.json`, and is made from the recipe or the image when it is not there.
 */
export const jobEntrySchema = Type.Object(
  {
    id: jobIdSchema,
    ...work,
    ...choices,
    /** What made the job when no person did (B5), for example `schedule:nightly`. */
    madeBy: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    createdAt: Type.Optional(Type.String({ format: 'date-time' })),
  },
  { ...closed, ...exactlyOneWork },
)
export type JobEntry = Static<typeof jobEntrySchema>

const jobDefaults = { priority: 0, timeLimitSeconds: 14_400, silenceLimitSeconds: 60, whenLost: 'reclaim', maxAttempts: 3 } as const

/** A job with every default filled in. */
export type Job = JobEntry & Required<Pick<JobEntry, keyof typeof jobDefaults>>

export const withJobDefaults = (entry: JobEntry): Job => ({ ...jobDefaults, ...entry })

/** The list as the file `jobs.json` (B2): in the user's order, whatever the priorities. */
export const jobListSchema = Type.Object({ version: Type.Literal(1), jobs: Type.Array(jobEntrySchema) }, closed)
export type JobList = Static<typeof jobListSchema>

/**
 * `available`: it may be taken now. `waiting`: it has no status either, and may be taken again at `notBefore`, after a lost attempt.
 * `selected`: a worker holds it. `proving`: its image was received and is being proven. `failed`, `cancelled`: nobody takes it until it is retried (B6).
 */
export const listedStates = ['available', 'waiting', 'selected', 'proving', 'failed', 'cancelled'] as const
export type ListedState = (typeof listedStates)[number]

/** A job as `GET /jobs.json` tells it. */
export type ListedJob = Job & {
  state: ListedState
  /** Attempts begun so far, the present one included. */
  attempt: number
  /** Who holds it, or held it last. */
  worker?: string
  /** How far that worker is while it holds the job, and the proof of its image after. */
  progress?: Progress
  /** When its time for that is over (B9). */
  deadlineAt?: string
  notBefore?: string
  /** Why nobody takes it though it is available: no machine known here meets what it requires. */
  blocked?: string
  /** Where the job comes from, when a master tells of it: the name of the first computer. */
  origin?: string
}

/** Answer to `GET /jobs.json`: the jobs in the order in which they are taken (B4, B7). */
export interface JobListAnswer {
  version: 1
  jobs: ListedJob[]
  /** What is wrong with `jobs.json` on the disk while the last good list stays in force. */
  problems?: readonly string[]
}

/** Where a job goes on the list: before or after another, first or last. It takes the priority of the job that it is put beside. */
export const placeSchema = Type.Union(
  [Type.Object({ before: jobIdSchema }, closed), Type.Object({ after: jobIdSchema }, closed), Type.Object({ at: Type.Enum(['first', 'last']) }, closed)],
  { description: 'one of {"before": JOB}, {"after": JOB}, {"at": "first"} and {"at": "last"}' },
)
export type Place = Static<typeof placeSchema>

/** Body of `POST /jobs`: an operator asks for a job that builds the image of a recipe, or that deploys an image. */
export const newJobSchema = Type.Object({ id: Type.Optional(jobIdSchema), ...work, ...choices }, { ...closed, ...exactlyOneWork })
export type NewJob = Static<typeof newJobSchema>

const nullable = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]))

/** Body of `PATCH /jobs/<id>`: what is given replaces what was chosen, `requires` as a whole; null takes a choice back to its default. */
export const jobPatchSchema = Type.Object(
  {
    priority: nullable(choices.priority),
    timeLimitSeconds: nullable(choices.timeLimitSeconds),
    silenceLimitSeconds: nullable(choices.silenceLimitSeconds),
    whenLost: nullable(choices.whenLost),
    maxAttempts: nullable(choices.maxAttempts),
    requires: nullable(choices.requires),
    assignedTo: nullable(choices.assignedTo),
  },
  closed,
)
export type JobPatch = Static<typeof jobPatchSchema>
