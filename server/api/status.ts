import { Type, type Static } from 'typebox'
import { jobIdSchema, workerIdSchema } from './job.ts'

const closed = { additionalProperties: false }

/**
 * `claimed` and `running` are held by a worker. `proving`: the image was received and read back, the worker is free, and the server boots a copy of it
 * before anyone sees it (F2). The others are ends. No status file at all means available (B14).
 */
export const jobStateSchema = Type.Enum(['claimed', 'running', 'proving', 'performed', 'failed', 'cancelled'])
export type JobState = Static<typeof jobStateSchema>

/** Why a job failed: what ran, how it ended, and what it said last (F8). */
export const failureSchema = Type.Object(
  {
    /** Kind of the step that failed, for example `install-packages`. */
    step: Type.String(),
    message: Type.String(),
    /** The command as one could paste it into a shell, when a command failed. */
    command: Type.Optional(Type.String()),
    exitCode: Type.Optional(Type.Integer()),
    /** The last lines of its output, oldest first. */
    lastLines: Type.Array(Type.String()),
  },
  closed,
)
export type Failure = Static<typeof failureSchema>

/** Where the worker is in the plan; of a job that is being proven, at which firmware its proof is, the step then being `proof`. */
export const progressSchema = Type.Object(
  {
    /** Index of the step that runs, from 0, and how many there are. */
    stepIndex: Type.Integer({ minimum: 0 }),
    stepCount: Type.Integer({ minimum: 1 }),
    step: Type.String(),
    /** Bytes done and, where known, bytes to do in this step. */
    doneBytes: Type.Optional(Type.Integer({ minimum: 0 })),
    totalBytes: Type.Optional(Type.Integer({ minimum: 0 })),
    /** How fast it goes, on the average since this began. */
    bytesPerSecond: Type.Optional(Type.Integer({ minimum: 0 })),
    /** One line for people, for example `unpacking debian-12-base`. */
    detail: Type.Optional(Type.String({ maxLength: 500 })),
  },
  closed,
)
export type Progress = Static<typeof progressSchema>

/** What a worker writes: the body of `PUT /status/<job>.json` (B12, B13). What it leaves out stays as it is; `{}` is a sign of life. */
export const statusReportSchema = Type.Object(
  {
    /** Identifier of the second computer: its machine id, for example `52-54-00-12-34-56`. Default: the name of its credential. */
    worker: Type.Optional(workerIdSchema),
    /** Address of the job server as the worker reached it, for example `http://10.77.0.1:8080`. Default: from the `Host` it asked. */
    server: Type.Optional(Type.String({ format: 'uri' })),
    /** `performed` ends a job that deploys an image; one that makes an image ends by that. */
    state: Type.Optional(Type.Enum(['claimed', 'running', 'performed', 'failed'])),
    progress: Type.Optional(progressSchema),
    failure: Type.Optional(failureSchema),
  },
  closed,
)
export type StatusReport = Static<typeof statusReportSchema>

/** The status file `status/<job>.json` and the answer to `GET /status/<job>.json` (B11); its JSON Schema is published as `GET /schemas/status.json`. */
export const statusSchema = Type.Object(
  {
    worker: Type.String(),
    server: Type.String(),
    state: jobStateSchema,
    progress: Type.Optional(progressSchema),
    failure: Type.Optional(failureSchema),
    /** Digest of the image's manifest, once it was received, or deployed. */
    imageDigest: Type.Optional(Type.String()),
    version: Type.Literal(1),
    job: jobIdSchema,
    /** Counts the writes of this claim from 1; the ETag of the answer is `"<attempt>-<revision>"`. */
    revision: Type.Integer({ minimum: 1 }),
    /** Counts the claims of this job from 1. */
    attempt: Type.Integer({ minimum: 1 }),
    /**
     * The version that the image is published under, for example `web-1`, or `web-1_2` when a job of that id was performed before. Of a job that deploys
     * an image it only names this run of the job.
     */
    imageVersion: Type.String(),
    /** sha256 of the claim token that every write of this claim carries in the header `Ingot-Claim`; the token itself is never stored. */
    claimHash: Type.String(),
    claimedAt: Type.String({ format: 'date-time' }),
    heartbeatAt: Type.String({ format: 'date-time' }),
    deadlineAt: Type.String({ format: 'date-time' }),
  },
  closed,
)
export type Status = Static<typeof statusSchema>
