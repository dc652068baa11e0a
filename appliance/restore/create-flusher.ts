import type { FileHandle } from 'node:fs/promises'

/** Written bytes that may wait in the kernel's cache before they are sent on to the disk. */
const unflushedBytesAtMost = 64 * 1024 * 1024

/** Has the disk write while chunks still come: by itself the kernel would begin when much of its memory is full. `end` waits for the rest. */
export function createFlusher(handle: FileHandle): { wrote: (bytes: number) => void; end: () => Promise<void> } {
  let unflushedBytes = 0
  let running: Promise<void> | undefined
  let failure: unknown
  const flush = () => {
    unflushedBytes = 0
    running = handle.datasync().catch((error: unknown) => void (failure ??= error)).finally(() => (running = undefined))
  }
  return {
    wrote(bytes) {
      unflushedBytes += bytes
      if (unflushedBytes >= unflushedBytesAtMost && running === undefined) flush()
    },
    async end() {
      await running
      if (failure !== undefined) throw failure
      await handle.sync()
    },
  }
}
