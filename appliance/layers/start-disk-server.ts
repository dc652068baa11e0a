import { access, open, rm, stat, writeFile, type FileHandle } from 'node:fs/promises'
import { ownProgram } from '../own-program.ts'
import type { Run, Start } from '../run.ts'
import type { FromDisk, ToDisk } from './disk-messages.ts'
import { requestsAtOnce } from './serve-file.ts'

export interface DiskServerOptions {
  /** What is served. */
  setup: Omit<Extract<ToDisk, { kind: 'serve' }>, 'kind'>
  /** Where the file comes to stand; a path where nothing is, for example `/target.disk`. */
  path: string
  readBlob: (digest: string, signal: AbortSignal) => Promise<Uint8Array>
  run: Run
  start: Start
  /** Told of each read or write that failed, of which programs only hear `Input/output error`. */
  onFailure: (reason: string) => void
  signal: AbortSignal
}

/** A layered disk as a file. */
export interface DiskServer {
  /**
   * Offsets of the chunks that were written to; with `forget` only what is written from now on counts next time. Throws when a read or a write has failed.
   */
  changed(options?: { forget?: boolean }): Promise<ReadonlySet<number>>
  /** Takes the file out of the folder; it stays for those who have it open, and the server ends with the last of them. */
  hide(): Promise<void>
  /** Settles once the server has ended, whichever way. */
  readonly ended: Promise<unknown>
}

/** Mounts a file and starts the process that serves it (see `serve-disk.ts`). */
export async function startDiskServer(options: DiskServerOptions): Promise<DiskServer> {
  const { setup, path, readBlob, run, start, onFailure, signal } = options
  const ready = Promise.withResolvers<void>()
  let asked = Promise.withResolvers<ReadonlySet<number>>()
  let failure: string | undefined

  const answers: { [Kind in FromDisk['kind']]: (message: Extract<FromDisk, { kind: Kind }>) => void } = {
    ready: () => ready.resolve(),
    changed: ({ offsets }) => asked.resolve(new Set(offsets)),
    failed({ reason }) {
      failure ??= reason
      onFailure(reason)
    },
    'want-blob': ({ digest }) =>
      void readBlob(digest, signal).then(
        (bytes) => tell({ kind: 'blob', digest, bytes }),
        (error: Error) => tell({ kind: 'no-blob', digest, reason: error.message }),
      ),
  }
  const startServer = async (fuse: FileHandle) => {
    await run('mount', ['-i', '-t', 'fuse', '-o', 'fd=3,rootmode=100000,user_id=0,group_id=0', 'ingot', path], { descriptor: fuse.fd, signal })
    return start(process.execPath, [ownProgram(import.meta, 'serve-disk')], {
      descriptor: fuse.fd,
      // As many threads work on requests as wait for them.
      env: { UV_THREADPOOL_SIZE: String(2 * requestsAtOnce) },
      onMessage: (message) => answers[(message as FromDisk).kind](message as never),
    })
  }

  await writeFile(path, '')
  const fuse = await openFuse(run)
  // Only the server has it from then on: the file goes when that ends, however it ends.
  const server = await startServer(fuse).finally(() => fuse.close())
  const tell = (message: ToDisk) => server.send(message)
  const failed = server.ended.then(({ exitCode, signal: killedBy, lastLines }): never => {
    throw new Error(`the process that serves the disk ended with ${exitCode ?? killedBy}: ${lastLines.at(-1) ?? 'it said nothing'}`)
  })
  failed.catch(() => {})
  tell({ kind: 'serve', ...setup })
  await Promise.race([ready.promise, failed])
  // The kernel asks for the size of the file only when it is asked itself.
  await stat(path)

  return {
    async changed({ forget = false } = {}) {
      asked = Promise.withResolvers()
      tell({ kind: 'tell-changed', forget })
      const offsets = await Promise.race([asked.promise, failed])
      if (failure !== undefined) throw new Error(`the disk could not be read or written: ${failure}`)
      return offsets
    },
    async hide() {
      await run('umount', ['--lazy', path])
      await rm(path)
    },
    ended: server.ended,
  }
}

/** The device is there only once the module is loaded: the appliance has no udev that would load it when it is opened. */
async function openFuse(run: Run): Promise<FileHandle> {
  await access('/dev/fuse').catch(() => run('modprobe', ['fuse']))
  return open('/dev/fuse', 'r+')
}
