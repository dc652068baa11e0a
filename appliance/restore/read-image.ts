import { hash } from 'node:crypto'
import type { ImageConfig, ImageManifest } from '../../server/api/image.ts'
import type { JobServer } from '../server-client.ts'

/** Manifest and config of an image on the first computer, by the digest of its manifest. Throws when one of them does not have its digest. */
export async function readImage(server: Pick<JobServer, 'readManifest' | 'readBlob'>, { image, digest }: { image: string; digest: string }, signal: AbortSignal): Promise<{ manifest: ImageManifest; config: ImageConfig }> {
  // Whatever has the digest is what the server checked when the image was published.
  const manifest = parse<ImageManifest>('manifest', digest, await server.readManifest(image, digest, signal))
  const config = parse<ImageConfig>('config', manifest.config.digest, await server.readBlob(image, manifest.config.digest, signal))
  return { manifest, config }
}

function parse<Value>(what: string, digest: string, bytes: Uint8Array): Value {
  const found = `sha256:${hash('sha256', bytes)}`
  if (found !== digest) throw new Error(`${what} of the image: expected the digest ${digest}, got ${found}`)
  return JSON.parse(Buffer.from(bytes).toString()) as Value
}
