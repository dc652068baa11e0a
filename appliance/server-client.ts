import type { ComponentRef } from '../images/component.ts'
import type { Descriptor } from '../server/api/image.ts'

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
  /** Whether the server holds the blob already (OCI distribution-spec, `HEAD /v2/<name>/blobs/<digest>`). */
  hasBlob(image: string, digest: string, signal: AbortSignal): Promise<boolean>
  /** Uploads one blob in a single request (`POST /v2/<name>/blobs/uploads/?digest=`). */
  pushBlob(image: string, digest: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>
  /** Uploads the manifest under `imageVersion`, which publishes the image; returns its digest. */
  pushManifest(image: string, manifest: Uint8Array, signal: AbortSignal): Promise<Descriptor>
}
