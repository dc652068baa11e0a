import { readImage } from '../../../appliance/restore/read-image.ts'
import { restoreImage } from '../../../appliance/restore/restore-image.ts'
import { run } from '../../../appliance/run.ts'
import { claimAt } from '../../appliance/capture/step-context.ts'
import type { IngotTask } from './ingot-worker.ts'

/** Writes an image onto a disk as a deploy job does; returns the bytes received. */
export async function restoreDisk({ url, version, devices }: IngotTask): Promise<number> {
  const server = claimAt(url, version)
  const { signal } = new AbortController()
  let receivedBytes = 0
  const counted = (bytes: Uint8Array<ArrayBuffer>) => ((receivedBytes += bytes.byteLength), bytes)
  const readBlob = async (name: string, digest: string, until: AbortSignal) => counted(await server.readBlob(name, digest, until))
  const readManifest = async (name: string, digest: string, until: AbortSignal) => counted(await server.readManifest(name, digest, until))
  const digest = await server.findSnapshot('bench', version, signal)
  if (digest === undefined) throw new Error(`expected the image bench:${version} on the server, got none`)
  const image = await readImage({ readBlob, readManifest }, { image: 'bench', digest }, signal)
  await restoreImage({ ...image, path: devices.disk, readBlob: (chunk, until) => readBlob('bench', chunk, until), run, signal, onProgress: () => {} })
  return receivedBytes
}
