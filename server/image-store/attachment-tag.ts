/** What is attached to a manifest under a tag of its own: signatures, attestations, and bills of materials by older tools. */
export type AttachmentKind = 'sig' | 'att' | 'sbom'

/**
 * The tag under which cosign and others look for what is about a manifest, for example `sha256-9f86d0….sig` (cosign SIGNATURE_SPEC.md, "Tag-based
 * Discovery"); without a kind that of the index of all referrers (OCI distribution-spec 1.1, "Referrers Tag Schema").
 */
export const attachmentTag = (digest: string, kind?: AttachmentKind): string => `${digest.replace(':', '-')}${kind === undefined ? '' : `.${kind}`}`

/** Whether a tag is made by tools for what is about a manifest, and no version of anything. */
export const isAttachmentTag = (tag: string): boolean => /^sha256-[0-9a-f]{64}(\.|$)/.test(tag)

/** Digest of the manifest that such a tag is about; `undefined` for any other tag. */
export const digestOfTag = (tag: string): string | undefined => (isAttachmentTag(tag) ? tag.split('.')[0]!.replace('-', ':') : undefined)

/** Whether a tag is made by tools for what is about this manifest. */
export const isTagAbout = (tag: string, digest: string): boolean => digestOfTag(tag) === digest
