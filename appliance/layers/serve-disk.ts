import { open, type FileHandle } from 'node:fs/promises'
import { expandChunk } from '../restore/expand-chunk.ts'
import type { FromDisk, ToDisk } from './disk-messages.ts'
import { createLayeredDisk, type LayeredDisk } from './layered-disk.ts'
import { serveFile } from './serve-file.ts'

/*
 * A process of its own, started by `openLayeredDisk`: whoever uses the disk that it serves may wait in all threads of its process, and then could not
 * answer for the disk. File descriptor 3 is the mounted `/dev/fuse`. It ends when the file is unmounted.
 */

const fuseDescriptor = 3
const tell = (message: FromDisk): void => void (process.connected && process.send!(message))

const wanted = new Map<string, PromiseWithResolvers<Uint8Array>>()
let served: { disk: LayeredDisk; handle: FileHandle } | undefined

/** Two chunks may have one blob. */
function fetchBlob(digest: string): Promise<Uint8Array> {
  const asked = wanted.getOrInsertComputed(digest, () => {
    tell({ kind: 'want-blob', digest })
    return Promise.withResolvers<Uint8Array>()
  })
  return asked.promise.finally(() => wanted.delete(digest))
}

async function serve(setup: Extract<ToDisk, { kind: 'serve' }>): Promise<void> {
  const handle = await open(setup.device, 'r+')
  const disk = createLayeredDisk({ ...setup, handle, fetchChunk: async (chunk) => expandChunk(await fetchBlob(chunk.digest), chunk) })
  served = { disk, handle }
  tell({ kind: 'ready' })
  await serveFile(fuseDescriptor, disk, ({ message }) => tell({ kind: 'failed', reason: message }))
  process.disconnect?.()
}

async function tellChanged(forget: boolean): Promise<void> {
  if (served === undefined) throw new Error('expected to serve a disk before telling what changed')
  const offsets = served.disk.changed()
  if (forget) served.disk.forgetChanged()
  // A disk that fails tells so only now.
  await served.handle.sync().catch(({ message }: Error) => tell({ kind: 'failed', reason: message }))
  tell({ kind: 'changed', offsets })
}

const take: { [Kind in ToDisk['kind']]: (message: Extract<ToDisk, { kind: Kind }>) => unknown } = {
  serve,
  blob: ({ digest, bytes }) => wanted.get(digest)?.resolve(bytes),
  'no-blob': ({ digest, reason }) => wanted.get(digest)?.reject(new Error(reason)),
  'tell-changed': ({ forget }) => tellChanged(forget),
}
process.on('message', (message: ToDisk) => void take[message.kind](message as never))

// Whoever had the blobs is gone.
process.on('disconnect', () => {
  for (const { reject } of wanted.values()) reject(new Error('the worker has ended'))
})
