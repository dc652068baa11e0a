import { imageNamePattern, imageVersionPattern } from '../../api/image.ts'
import { IngotError } from '../../errors.ts'
import { digestOfTag, isAttachmentTag } from '../attachment-tag.ts'
import { whatChunk, type StoredBlob } from '../export/image-file.ts'
import { parseImageManifest } from '../parse-image.ts'
import { isDisk, parseManifest, type ManifestFacts } from '../parse-manifest.ts'
import { planLayers } from '../plan-layers.ts'
import type { ListedManifest } from './open-oci-archive.ts'

/** A manifest that is about an image; `tag` where tools find it by one. */
export interface Attachment {
  reference: string
  mediaType: string
  bytes: Buffer
}

/** One image of an archive, with all that is to be taken in for it. */
export interface PlannedImport {
  name: string
  version: string
  bytes: Buffer
  /** What it names and what is about it, each blob once. */
  blobs: StoredBlob[]
  /** In the order in which they may be stored: what is referred to comes first. */
  attachments: Attachment[]
}

/** An image's name where the archive has none or another. */
export interface ImportAs {
  name: string
  version: string
}

/**
 * What of an archive is taken in: each image of a disk by the name that the archive has for it or by `as`, and all that is about it. Other images are left.
 * Throws `IngotError` 'image-invalid' when there is no image of a disk or a manifest is wrong, and 'argument-invalid' when an image has no usable name.
 */
export function planImport(manifests: readonly ListedManifest[], as?: ImportAs): PlannedImport[] {
  const all = manifests.map((each) => ({ ...each, facts: parseManifest(each.bytes, each.mediaType) }))
  const disks = all.filter(({ facts }) => isDisk(facts))
  if (disks.length === 0) throw new IngotError('image-invalid', `archive: expected an image of a disk, got ${manifests.length} manifests and none of a disk`)
  if (as !== undefined && disks.length > 1) throw new IngotError('argument-invalid', `--as: expected an archive with one image, got one with ${disks.length}`)
  return disks.map((disk) => {
    const named = as ?? parseRefName(disk.refName)
    const about = collectAbout(disk.digest, all)
    const blobs = new Map<string, StoredBlob>()
    const add = (blob: StoredBlob) => void blobs.set(blob.digest, blob)
    for (const { digest, facts } of about) for (const blob of facts.blobs) add({ ...blob, what: `a blob of the referrer ${digest}` })
    const manifest = parseImageManifest(disk.bytes)
    add({ digest: manifest.config.digest, sizeBytes: manifest.config.size, what: 'the config' })
    for (const layer of planLayers(manifest)) add({ digest: layer.digest, sizeBytes: layer.blobBytes, what: whatChunk(layer) })
    return { ...named, bytes: disk.bytes, blobs: [...blobs.values()], attachments: about.map(attachmentOf) }
  })
}

type Known = ListedManifest & { facts: ManifestFacts }

/** What refers to a manifest, by reference or by a tag, and to that in turn; with the parts of lists before them. */
function collectAbout(digest: string, all: readonly Known[], seen = new Set([digest])): Known[] {
  return all.flatMap((each) => {
    if (seen.has(each.digest) || (each.facts.subject !== digest && digestOfTag(tagOf(each) ?? '') !== digest)) return []
    seen.add(each.digest)
    const parts = all.filter((part) => each.facts.parts.some((wanted) => wanted.digest === part.digest))
    return [...parts, each, ...collectAbout(each.digest, all, seen)]
  })
}

/** What stands after the name in `debian-12:sha256-9f86d0….sig`. */
const tagOf = ({ refName }: ListedManifest): string | undefined => refName?.slice(refName.indexOf(':') + 1)

function attachmentOf(known: Known): Attachment {
  const tag = tagOf(known)
  return { reference: tag !== undefined && isAttachmentTag(tag) ? tag : known.digest, mediaType: known.mediaType, bytes: known.bytes }
}

function parseRefName(refName: string | undefined): ImportAs {
  const [name = '', version = '', ...others] = (refName ?? '').split(':')
  const isUsable = others.length === 0 && new RegExp(imageNamePattern).test(name) && new RegExp(imageVersionPattern).test(version)
  if (isUsable) return { name, version }
  const got = refName === undefined ? 'no name' : `"${refName}"`
  throw new IngotError('argument-invalid', `archive: expected the image to be called NAME:VERSION, got ${got}; name it with --as NAME:VERSION`)
}
