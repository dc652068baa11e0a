/*
 * The part of the kernel's FUSE protocol that a single file needs, the file being the root of its file system. Source: Linux,
 * include/uapi/linux/fuse.h, protocol 7.31; numbers are in the machine's byte order, which is little-endian on amd64.
 */

export const opcodes = {
  forget: 2,
  getattr: 3,
  open: 14,
  read: 15,
  write: 16,
  release: 18,
  fsync: 20,
  flush: 25,
  init: 26,
  interrupt: 36,
  batchForget: 42,
} as const

/** errno(3), as replies carry it. */
export const errnos = { io: 5, notImplemented: 38 } as const

const headerBytes = 40
const writeHeaderBytes = 40
/** Most bytes of the file in one request: 256 pages, the most that the kernel gives. */
const mostDataBytes = 1024 * 1024
/** What the kernel wants to have room for whenever it is asked for a request. */
export const requestBytes = headerBytes + writeHeaderBytes + mostDataBytes

const initFlags = { asyncRead: 1, bigWrites: 1 << 5, maxPages: 1 << 22 }

export interface FuseRequest {
  opcode: number
  /** Goes back in the reply. */
  unique: bigint
  /** What follows the header. */
  body: Buffer
}

export const parseRequest = (bytes: Buffer): FuseRequest => ({
  opcode: bytes.readUInt32LE(4),
  unique: bytes.readBigUInt64LE(8),
  body: bytes.subarray(headerBytes),
})

/** Of a read: which bytes of the file are wanted. */
export const parseRead = (body: Buffer): { offsetBytes: number; lengthBytes: number } => ({
  offsetBytes: Number(body.readBigUInt64LE(8)),
  lengthBytes: body.readUInt32LE(16),
})

/** Of a write: where which bytes go. */
export const parseWrite = (body: Buffer): { offsetBytes: number; bytes: Buffer } => ({
  offsetBytes: Number(body.readBigUInt64LE(8)),
  bytes: body.subarray(writeHeaderBytes, writeHeaderBytes + body.readUInt32LE(16)),
})

/** A reply with what belongs to it, or with an error alone. */
export function renderReply(unique: bigint, { error = 0, payload = Buffer.alloc(0) }: { error?: number; payload?: Buffer }): Buffer {
  const reply = Buffer.allocUnsafe(16 + payload.length)
  reply.writeUInt32LE(reply.length, 0)
  reply.writeInt32LE(-error, 4)
  reply.writeBigUInt64LE(unique, 8)
  payload.copy(reply, 16)
  return reply
}

/** The answer to the first request: version 7.31, large requests, and no more readahead than the kernel proposes. */
export function renderInit(body: Buffer): Buffer {
  const payload = Buffer.alloc(64)
  payload.writeUInt32LE(7, 0)
  payload.writeUInt32LE(31, 4)
  payload.writeUInt32LE(body.readUInt32LE(8), 8)
  payload.writeUInt32LE((initFlags.asyncRead | initFlags.bigWrites | initFlags.maxPages) & body.readUInt32LE(12), 12)
  payload.writeUInt16LE(16, 16)
  payload.writeUInt16LE(12, 18)
  payload.writeUInt32LE(mostDataBytes, 20)
  payload.writeUInt32LE(1, 24)
  payload.writeUInt16LE(mostDataBytes / 4096, 28)
  return payload
}

const attributesHoldSeconds = 365n * 24n * 60n * 60n
const regularFileMode = 0o100600

/** What the kernel knows of the file from now on: a regular file of this size, of root alone. */
export function renderAttributes(sizeBytes: number): Buffer {
  const payload = Buffer.alloc(16 + 88)
  payload.writeBigUInt64LE(attributesHoldSeconds, 0)
  const attributes = payload.subarray(16)
  attributes.writeBigUInt64LE(1n, 0)
  attributes.writeBigUInt64LE(BigInt(sizeBytes), 8)
  attributes.writeBigUInt64LE(BigInt(Math.ceil(sizeBytes / 512)), 16)
  attributes.writeUInt32LE(regularFileMode, 60)
  attributes.writeUInt32LE(1, 64)
  return payload
}

/** An open file without a handle, whose pages the kernel may keep: nobody else changes it. */
export const renderOpen = (): Buffer => {
  const payload = Buffer.alloc(16)
  payload.writeUInt32LE(1 << 1, 8)
  return payload
}

export const renderWritten = (lengthBytes: number): Buffer => {
  const payload = Buffer.alloc(8)
  payload.writeUInt32LE(lengthBytes, 0)
  return payload
}
