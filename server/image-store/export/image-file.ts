import type { Layer } from '../plan-layers.ts'

/** A blob of the store, as it lies there. */
export interface StoredBlob {
  digest: string
  sizeBytes: number
  /** What it is, for people, for example `the chunk at byte 1048576 of the disk`. */
  what: string
}

/** A stretch of a file: bytes that are computed, a stored blob as it is, or a chunk of the disk, unpacked. */
export type FilePart = { startBytes: number; lengthBytes: number } & (
  | { kind: 'computed'; render: () => Uint8Array }
  | { kind: 'blob'; blob: StoredBlob }
  | { kind: 'chunk'; layer: Layer }
)

/**
 * An image in some file format, before any of it is read: a pure function of its manifest, so that any stretch of it can be had at any time and is
 * always the same. The parts are in the order of the file; what none covers is zero.
 */
export interface ImageFile {
  sizeBytes: number
  parts: FilePart[]
}

/** For people, where something is about one chunk. */
export const whatChunk = ({ offsetBytes }: Layer): string => `the chunk at byte ${offsetBytes} of the disk`

/** Bytes that are rendered when they are read; `lengthBytes` is how many they will be. */
export const computedPart = (startBytes: number, lengthBytes: number, render: () => Uint8Array): FilePart => ({ kind: 'computed', startBytes, lengthBytes, render })
export const bytesPart = (startBytes: number, bytes: Uint8Array): FilePart => computedPart(startBytes, bytes.length, () => bytes)
export const blobPart = (startBytes: number, blob: StoredBlob): FilePart => ({ kind: 'blob', startBytes, lengthBytes: blob.sizeBytes, blob })
export const chunkPart = (startBytes: number, layer: Layer): FilePart => ({ kind: 'chunk', startBytes, lengthBytes: layer.lengthBytes, layer })
