import type { ComponentRef } from '../images/component.ts'
import type { Descriptor } from '../server/api/image.ts'

/** The server lacks a blob that a manifest names. Sent again, the image is whole: a blob may have gone with the power of the server. */
export class MissingBlobError extends Error {
  override readonly name = 'MissingBlobError'
}

/**
 * What the steps of a job need of the first computer that it came from. While that is away each call goes on trying until `signal` is aborted;
 * a refusal is thrown at once.
 */
export interface JobServer {
  /** Address of that server, for example `http://10.77.0.1:8080`. */
  readonly url: string
  /** Id of the job. */
  readonly job: string
  /** The version that this claim publishes its image under, for example `web-1`. */
  readonly imageVersion: string
  /** Settles once that server answers. */
  answers(signal: AbortSignal): Promise<void>
  /** The bytes of a component, checked against size and digest as they flow: a wrong byte makes the stream fail. A cut connection goes on where it ended. */
  component(ref: ComponentRef, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  /**
   * The bytes of a manifest, by the digest of it (OCI distribution-spec, `GET /v2/<name>/manifests/<digest>`), and of a blob, a chunk or a config, which are
   * held whole, in memory of their own. A cut connection is made anew. What comes is not checked: it must be compared with its digest.
   */
  readManifest(image: string, digest: string, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>>
  readBlob(image: string, digest: string, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>>
  /** The digest of what an earlier job kept under a tag, nothing when there is none. */
  findSnapshot(image: string, tag: string, signal: AbortSignal): Promise<string | undefined>
  /** Keeps a manifest under a tag that the plan names, which publishes nothing. Throws `MissingBlobError` as `pushManifest` does. */
  pushSnapshot(image: string, tag: string, manifest: Uint8Array, signal: AbortSignal): Promise<void>
  /** Whether the server holds the blob already (OCI distribution-spec, `HEAD /v2/<name>/blobs/<digest>`). */
  hasBlob(image: string, digest: string, signal: AbortSignal): Promise<boolean>
  /** Uploads one blob in a single request (`POST /v2/<name>/blobs/uploads/?digest=`). Its bytes may be something else once that has settled. */
  pushBlob(image: string, digest: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>
  /**
   * Uploads the manifest under `imageVersion`, which publishes the image; returns its digest. Throws `MissingBlobError` when the server lacks something
   * that it names, also because what it stored did not read back right.
   */
  pushManifest(image: string, manifest: Uint8Array, signal: AbortSignal): Promise<Descriptor>
}
