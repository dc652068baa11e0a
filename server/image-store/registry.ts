import type { BlobStore } from './blob-store.ts'
import type { ManifestFacts } from './parse-manifest.ts'

/** A manifest under a name: `{ name: 'debian-12', tag: 'debian-12-20261123-1', digest: 'sha256:…', … }`. */
export interface ManifestEntry {
  name: string
  /** Absent for one that is found by its digest only: a part of an index, a referrer, or one whose tag has moved on. */
  tag?: string
  mediaType: string
  artifactType?: string
  digest: string
  sizeBytes: number
  /** RFC 3339. */
  storedAt: string
  /** Digest of the manifest that this one is about (OCI distribution-spec, "Listing Referrers"). */
  subject?: string
}

export interface StoredManifest extends ManifestEntry {
  /** As they were pushed; they have the digest. */
  bytes: Buffer
}

export interface PutOptions {
  /** Asked last, when all is checked and nothing is visible yet; what it throws stops it. */
  confirm?: () => Promise<void>
}

/** What an OCI registry keeps, whatever it means: blobs, manifests and their tags. */
export interface Registry {
  /** The blobs of a name. */
  blobs(name: string): BlobStore
  /**
   * The manifest under a tag or a digest; `latest` is the newest disk image, if there is one under this name.
   * Throws `IngotError` 'image-corrupt' when it is damaged.
   */
  read(name: string, reference: string): Promise<StoredManifest | undefined>
  /**
   * Stores a manifest under a tag, or under its digest only. A tag moves on from what it named before, but never from a disk image. Throws `IngotError`
   * 'blob-unknown' when something that it names is not there, 'image-exists' when the tag is a disk image's, 'storage-full'.
   */
  put(name: string, manifest: { tag?: string; bytes: Uint8Array; facts: ManifestFacts }, options?: PutOptions): Promise<ManifestEntry>
  /**
   * Takes a manifest away: by digest with all its tags, by tag only the tag, unless that is the version of a disk image. Parts and referrers that nothing
   * else names go with it. Returns whether there was one.
   */
  remove(name: string, reference: string): Promise<boolean>
  /** Tags of a name, in no order; empty when the name is unknown. */
  tags(name: string): Promise<string[]>
  /** Manifests whose subject is this digest. */
  referrers(name: string, digest: string): Promise<StoredManifest[]>
  names(): Promise<string[]>
  /** Every disk image, oldest first. */
  disks(): Promise<(ManifestEntry & { tag: string })[]>
  close(): void
}
