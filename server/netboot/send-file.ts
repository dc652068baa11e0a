import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import send from '@fastify/send'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { readHostFile } from './read-host-file.ts'
import type { StaticFile } from './tftp/file-map.ts'

/** What went out in answer to a GET, of what there was to send. */
export interface SentFile {
  bytes: number
  sizeBytes: number
  /** False when the machine ended the connection before it had acknowledged all. */
  isWhole: boolean
}

interface Answer {
  statusCode: number
  headers: Record<string, string>
  body: Buffer
}

/** Handed to the socket at once: enough that it never waits for us, and little enough that we know how much of a broken-off download went out. */
const pieceBytes = 1024 * 1024

/**
 * Answers with a file, with ranges, ETag and HEAD, and tells what went out to a GET; undefined for anything else. What goes out comes from memory.
 * Written to the socket past Fastify, which sends header names in lower case: there is firmware that looks for `Content-Length` to the letter.
 */
export async function sendFile(request: FastifyRequest, reply: FastifyReply, file: StaticFile, type: string): Promise<SentFile | undefined> {
  const { statusCode, headers, body } = 'bytes' in file ? answerBytes(file.bytes) : await answerHostFile(request, file.path)
  reply.hijack()
  reply.raw.writeHead(statusCode, { 'Content-Type': type, ...headers })
  const isSent = request.method === 'GET' && (statusCode === 200 || statusCode === 206)
  const { socket } = request.raw
  const writtenBefore = socket.bytesWritten
  try {
    await pipeline(Readable.from(request.method === 'HEAD' ? [] : piecesOf(body), { highWaterMark: 1 }), reply.raw)
  } catch (error) {
    request.log.info({ err: error, url: request.url }, 'a machine broke off a download')
    return isSent ? { bytes: Math.min(socket.bytesWritten - writtenBefore, body.length), sizeBytes: body.length, isWhole: false } : undefined
  }
  return isSent ? { bytes: body.length, sizeBytes: body.length, isWhole: true } : undefined
}

const answerBytes = (body: Buffer): Answer => ({ statusCode: 200, headers: { 'Content-Length': String(body.length) }, body })

async function answerHostFile({ raw }: FastifyRequest, path: string): Promise<Answer> {
  // Asked as for HEAD, so that it opens nothing: it tells the headers, and by them the bytes are found in memory.
  const asked = { method: 'HEAD', headers: raw.headers } as unknown as Readable
  const [answer, bytes] = await Promise.all([send(asked, encodeURI(path), { cacheControl: false, contentType: false, dotfiles: 'allow' }), readHostFile(path)])
  const { statusCode, headers } = answer
  const isFile = statusCode === 200 || statusCode === 206
  if (statusCode >= 500 || (answer.type === 'file' && answer.metadata.stat.size !== bytes.length)) throw new Error(`${path} cannot be read`)
  if (!isFile) return { statusCode, headers, body: await buffer(answer.stream) }
  const [, from, to] = /^bytes (\d+)-(\d+)\//.exec(headers['Content-Range'] ?? '') ?? []
  return { statusCode, headers, body: from === undefined ? bytes : bytes.subarray(Number(from), Number(to) + 1) }
}

function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}
