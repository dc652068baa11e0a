import { restoreImage } from '../../../appliance/restore/restore-image.ts'
import { run } from '../../../appliance/run.ts'
import type { ImageConfig, ImageManifest } from '../../../server/api/image.ts'
import type { IngotTask } from './ingot-worker.ts'

/** Writes an image onto a disk as a deploy job does; returns the bytes received. */
export async function restoreDisk({ url, version, devices }: IngotTask): Promise<number> {
  let receivedBytes = 0
  const read = async (path: string, signal: AbortSignal): Promise<Uint8Array> => {
    const response = await fetch(`${url}/v2/bench/${path}`, { headers: { authorization: 'Bearer credential' }, signal })
    if (!response.ok) throw new Error(`${path}: the server answered ${response.status}`)
    const bytes = new Uint8Array(await response.arrayBuffer())
    receivedBytes += bytes.byteLength
    return bytes
  }
  const { signal } = new AbortController()
  const readJson = async <Value>(path: string): Promise<Value> => JSON.parse(Buffer.from(await read(path, signal)).toString()) as Value
  const manifest = await readJson<ImageManifest>(`manifests/${version}`)
  const config = await readJson<ImageConfig>(`blobs/${manifest.config.digest}`)
  await restoreImage({ manifest, config, path: devices.disk, readBlob: (digest, stop) => read(`blobs/${digest}`, stop), run, signal, onProgress: () => {} })
  return receivedBytes
}
