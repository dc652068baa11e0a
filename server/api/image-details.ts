import type { ImageConfig } from './image.ts'
import type { ProofRecord } from './proof.ts'

/** A version of an image, as `GET /images.json` tells it. */
export interface ImageSummary {
  name: string
  version: string
  /** Of the manifest. */
  digest: string
  publishedAt: string
  builtAt: string
  /** Of the disk that it describes, and of its blobs as they are stored. */
  diskBytes: number
  storedBytes: number
  firmware: ImageConfig['firmware']
  recipe: ImageConfig['recipe']
  /** The job that made it, and the machine. */
  job: string
  machine: string
  packageCount: number
  /** How it was proven; null for one that nobody told of. */
  proof: ProofRecord | null
  /** Whether this server's key has signed it, in words; what keeps it from counting stands in `problems`. */
  signature: { tells: string; problems: readonly string[] }
}

/** Answer to `GET /images.json`: every version, the newest first. */
export interface ImageListAnswer {
  version: 1
  images: ImageSummary[]
}

/** Answer to `GET /images/<name>/<version>.json`. */
export interface ImageDetails extends ImageSummary {
  architecture: ImageConfig['architecture']
  sectorBytes: number
  workerVersion: string
  partitions: ImageConfig['partitions']
  packages: ImageConfig['packages']
}
