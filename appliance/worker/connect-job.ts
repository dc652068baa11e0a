import { hash } from 'node:crypto'
import type { Logger } from 'pino'
import type { Plan } from '../../images/plan.ts'
import { claimHeader, jobHeader } from '../../server/api/headers.ts'
import { mediaTypes } from '../../server/api/media-types.ts'
import type { StatusReport } from '../../server/api/status.ts'
import { MissingBlobError, type JobServer } from '../server-client.ts'
import { RefusedError } from './answer-errors.ts'
import { jsonBody, readJson, readNothing, type AskInit, type ServerConnection } from './connect-server.ts'
import { downloadComponent } from './download-component.ts'
import type { HttpResponse } from './http-fetch.ts'
import { keepTrying } from './keep-trying.ts'
import { pushBlob } from './push-blob.ts'
import { readBytes } from './read-bytes.ts'

/** A job server, as the worker that holds one of its jobs sees it. */
export interface ClaimedJob extends JobServer {
  plan(signal: AbortSignal): Promise<Plan>
  /** Reports once; throws `OutageError` when the server is away. */
  report(report: StatusReport, signal: AbortSignal): Promise<void>
  /** Puts text at the end of the job's log, once; throws `OutageError` when the server is away, and then the text may have arrived or not. */
  log(text: Uint8Array, signal: AbortSignal): Promise<void>
  /** Bytes in the job's log now. */
  logSizeBytes(signal: AbortSignal): Promise<number>
}

/** A blob is 2 MiB or little more; a line so slow that it takes longer would need weeks for an image. */
const blobLimitMs = 300_000
/** The server reads back all blobs before it answers. */
const manifestLimitMs = 1_800_000

export interface JobConnectionOptions {
  job: string
  /** The claim token, which every write carries (F5). */
  claim: string
  imageVersion: string
  log: Logger
}

/** Speaks for one claim to the server it was made at. */
export function connectJob({ url, ask }: ServerConnection, { job, claim, imageVersion, log }: JobConnectionOptions): ClaimedJob {
  const held = { [jobHeader]: job, [claimHeader]: claim }
  const insist = <Result>(path: string, init: AskInit, read: (response: HttpResponse) => Promise<Result>): Promise<Result> =>
    keepTrying(() => ask(path, { ...init, headers: { ...init.headers, ...held } }, read), { signal: init.signal, onOutage })
  const isThere = (image: string, digest: string, signal: AbortSignal): Promise<boolean> =>
    ask(`/v2/${image}/blobs/${digest}`, { method: 'HEAD', headers: held, signal }, readNothing).then(() => true, falseWhenMissing)
  const onOutage = (error: Error, againInMs: number) => log.warn({ reason: error.message, againInMs }, 'the first computer is away; the job waits for it')

  const putManifest = (image: string, reference: string, manifest: Uint8Array, signal: AbortSignal): Promise<void> =>
    insist(
      `/v2/${image}/manifests/${reference}`,
      { method: 'PUT', body: manifest as Uint8Array<ArrayBuffer>, headers: { 'content-type': mediaTypes.manifest }, limitMs: manifestLimitMs, signal },
      readNothing,
    ).catch((error: unknown) => {
      throw error instanceof RefusedError && error.code === 'MANIFEST_BLOB_UNKNOWN' ? new MissingBlobError(error.message, { cause: error }) : error
    })

  return {
    url,
    job,
    imageVersion,
    plan: (signal) => insist(`/plans/${job}.json`, { signal }, readJson<Plan>),
    answers: (signal) => insist(`/status/${job}.json`, { signal }, readNothing),
    report: (report, signal) => ask(`/status/${job}.json`, { method: 'PUT', ...jsonBody(report, { 'if-match': '*', ...held }), signal }, readNothing),
    log: (text, signal) =>
      ask(`/logs/${job}.log`, { method: 'POST', body: text as Uint8Array<ArrayBuffer>, headers: { 'content-type': 'text/plain', ...held }, signal }, readNothing),
    logSizeBytes: (signal) =>
      ask(`/logs/${job}.log`, { method: 'HEAD', headers: held, signal }, async ({ headers }) => Number(headers.get('content-length'))).catch(zeroWhenMissing),
    component: async (ref, signal) => downloadComponent(ref, { ask, headers: held, signal, onOutage }),
    readManifest: (image, digest, signal) => insist(`/v2/${image}/manifests/${digest}`, { headers: { accept: mediaTypes.manifest }, signal }, readBytes),
    readBlob: (image, digest, signal) => insist(`/v2/${image}/blobs/${digest}`, { limitMs: blobLimitMs, signal }, readBytes),
    hasBlob: (image, digest, signal) => keepTrying(() => isThere(image, digest, signal), { signal, onOutage }),
    // A blob is named by its content and a manifest by the claim's version, so that sending either again after a cut connection does no harm.
    pushBlob: (image, digest, bytes, signal) =>
      pushBlob({
        send: () =>
          ask(
            `/v2/${image}/blobs/uploads/?digest=${digest}`,
            {
              method: 'POST',
              body: bytes as Uint8Array<ArrayBuffer>,
              headers: { 'content-type': 'application/octet-stream', ...held },
              limitMs: blobLimitMs,
              signal,
            },
            readNothing,
          ),
        isThere: () => isThere(image, digest, signal),
        signal,
        onOutage,
        onDamage: (error) => log.warn({ reason: error.message }, 'a blob was damaged on its way; it is sent again'),
      }),
    findSnapshot: (image, tag, signal) =>
      insist(`/v2/${image}/manifests/${tag}`, { headers: { accept: mediaTypes.manifest }, signal }, async (answer) => digestOf(await readBytes(answer))).catch(undefinedWhenMissing),
    pushSnapshot: putManifest,
    async pushManifest(image, manifest, signal) {
      await putManifest(image, imageVersion, manifest, signal)
      return { mediaType: mediaTypes.manifest, digest: digestOf(manifest), size: manifest.byteLength }
    },
  }
}

const digestOf = (bytes: Uint8Array): string => `sha256:${hash('sha256', bytes)}`

const missing = (error: unknown): boolean => error instanceof RefusedError && error.status === 404

function zeroWhenMissing(error: unknown): 0 {
  if (missing(error)) return 0
  throw error
}

function undefinedWhenMissing(error: unknown): undefined {
  if (missing(error)) return undefined
  throw error
}

function falseWhenMissing(error: unknown): false {
  if (missing(error)) return false
  throw error
}
