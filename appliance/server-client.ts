import type { ComponentRef } from '../images/component.ts'
import type { Descriptor } from '../server/api/image.ts'

/** What the steps of a job need of the first computer that it came from. */
export interface JobServer {
  /** Address of that server, for example `http://10.77.0.1:8080`. */
  readonly url: string
  /** Id of the job, and the claim token that every write carries. */
  readonly job: string
  /** The bytes of a component, checked against size and digest as they flow: a wrong byte makes the stream fail. */
  component(ref: ComponentRef, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  /** Whether the server holds the blob already (OCI distribution-spec, `HEAD /v2/<name>/blobs/<digest>`). */
  hasBlob(image: string, digest: string, signal: AbortSignal): Promise<boolean>
  /** Uploads one blob in a single request (`POST /v2/<name>/blobs/uploads/?digest=`). */
  pushBlob(image: string, digest: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>
  /** Uploads the manifest under a tag, which publishes the image; returns its digest. */
  pushManifest(image: string, tag: string, manifest: Uint8Array, signal: AbortSignal): Promise<Descriptor>
}
