import type { PlacedChunk } from '../restore/place-chunks.ts'

/** What the process that serves a layered disk is told. */
export type ToDisk =
  | { kind: 'serve'; device: string; sizeBytes: number; chunkSizeBytes: number; chunks: readonly PlacedChunk[]; isFilled: boolean }
  /** The blob that it asked for, or why there is none. */
  | { kind: 'blob'; digest: string; bytes: Uint8Array }
  | { kind: 'no-blob'; digest: string; reason: string }
  /** With `forget` only what is written from now on counts as changed. */
  | { kind: 'tell-changed'; forget: boolean }

/** What it tells. */
export type FromDisk =
  | { kind: 'ready' }
  | { kind: 'want-blob'; digest: string }
  /** All of that is on the disk. */
  | { kind: 'changed'; offsets: number[] }
  /** A request of the kernel was answered with `EIO`. */
  | { kind: 'failed'; reason: string }
