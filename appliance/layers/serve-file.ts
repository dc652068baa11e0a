import { read, write } from 'node:fs'
import { promisify } from 'node:util'
import { errnos, opcodes, parseRead, parseRequest, parseWrite, renderAttributes, renderInit, renderOpen, renderReply, renderWritten, requestBytes, type FuseRequest } from './fuse-protocol.ts'
import type { LayeredDisk } from './layered-disk.ts'

const readFrom = promisify(read)
const writeTo = promisify(write)

/** Requests that are answered at once; where there are fewer, each of the others waits for one in a thread of libuv. */
export const requestsAtOnce = 4

/**
 * Answers the kernel's requests for a file until it is unmounted. `fuse` is the file descriptor of a `/dev/fuse` that is mounted. A failure is told, and the kernel gets
 * `EIO` for that request.
 */
export async function serveFile(fuse: number, file: LayeredDisk, onFailure: (error: Error) => void): Promise<void> {
  await Promise.all(Array.from({ length: requestsAtOnce }, () => serve(fuse, file, onFailure)))
}

async function serve(fuse: number, file: LayeredDisk, onFailure: (error: Error) => void): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(requestBytes)
  for (;;) {
    const lengthBytes = await readRequest(fuse, buffer)
    if (lengthBytes === undefined) return
    const request = parseRequest(buffer.subarray(0, lengthBytes))
    const answer = await answerTo(request, file).catch((error: Error) => {
      onFailure(error)
      return { error: errnos.io }
    })
    if (answer !== undefined) await sendReply(fuse, renderReply(request.unique, answer))
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? ''

/** One request; nothing once the file is unmounted. */
async function readRequest(fuse: number, buffer: Buffer): Promise<number | undefined> {
  for (;;) {
    try {
      return (await readFrom(fuse, buffer, 0, buffer.length, null)).bytesRead
    } catch (error) {
      if (codeOf(error) === 'ENODEV') return undefined
      // The request was withdrawn before it was read.
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EINTR' && codeOf(error) !== 'EAGAIN') throw error
    }
  }
}

async function sendReply(fuse: number, reply: Buffer): Promise<void> {
  try {
    await writeTo(fuse, reply, 0, reply.length, null)
  } catch (error) {
    // Whoever asked is gone.
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENODEV') throw error
  }
}

/** Nothing for a request that wants no reply. */
async function answerTo({ opcode, body }: FuseRequest, file: LayeredDisk): Promise<Parameters<typeof renderReply>[1] | undefined> {
  switch (opcode) {
    case opcodes.read: {
      const { offsetBytes, lengthBytes } = parseRead(body)
      return { payload: await file.read(offsetBytes, lengthBytes) }
    }
    case opcodes.write: {
      const { offsetBytes, bytes } = parseWrite(body)
      await file.write(offsetBytes, bytes)
      return { payload: renderWritten(bytes.length) }
    }
    case opcodes.getattr:
      return { payload: renderAttributes(file.sizeBytes) }
    case opcodes.init:
      return { payload: renderInit(body) }
    case opcodes.open:
      return { payload: renderOpen() }
    // What is written need not outlive a power cut: the job would begin anew.
    case opcodes.fsync:
    case opcodes.flush:
    case opcodes.release:
      return {}
    case opcodes.forget:
    case opcodes.batchForget:
    case opcodes.interrupt:
      return undefined
    default:
      return { error: errnos.notImplemented }
  }
}
