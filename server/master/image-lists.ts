import { HttpProblem } from '../http/problem.ts'
import { isAttachmentTag } from '../image-store/attachment-tag.ts'
import { OciError } from '../http/routes/oci-error.ts'
import type { FirstComputerLink, LinkRole } from './first-computer-link.ts'
import { gather } from './gather.ts'
import { nameAtMaster } from './job-name.ts'

interface Asked {
  role: LinkRole
  via: string | undefined
}

/** Asks every first computer for a list; `absent` where there is none. The answers have no place for what is wrong: a list is whole, or refused with 503. */
async function listsOf<Answer>(links: readonly FirstComputerLink[], path: string, { role, via }: Asked, absent: Answer): Promise<{ link: FirstComputerLink; answer: Answer }[]> {
  const { answers, problems } = await gather(links, (link) => link.ask<Answer>(path, { role, via, absent }))
  if (problems.length > 0) throw new HttpProblem(503, 'not every first computer could be asked', problems)
  return answers
}

/**
 * The versions of an image, each called after its first computer (OCI distribution-spec 1.1, "Listing Tags"), and the tags about them, which tools make from
 * digests; throws 404 when there is none.
 */
export async function tagsOf(links: readonly FirstComputerLink[], name: string, asked: Asked): Promise<string[]> {
  const lists = await listsOf<{ tags: string[] }>(links, `/v2/${name}/tags/list`, asked, { tags: [] })
  const tags = lists.flatMap(({ link, answer }) => answer.tags.map((tag) => (isAttachmentTag(tag) ? tag : nameAtMaster(link.name, tag))))
  if (tags.length === 0) throw new OciError('NAME_UNKNOWN', `no image ${name} is stored`)
  return [...new Set(tags)]
}

/** The names of all images. */
export async function imageNames(links: readonly FirstComputerLink[], asked: Asked): Promise<string[]> {
  const lists = await listsOf<{ repositories: string[] }>(links, '/v2/_catalog', asked, { repositories: [] })
  return [...new Set(lists.flatMap(({ answer }) => answer.repositories))]
}

/** An image index of what refers to a manifest, each once (OCI distribution-spec 1.1, "Listing Referrers"). `path` has the query too. */
export async function referrersAt(links: readonly FirstComputerLink[], path: string, asked: Asked) {
  const lists = await listsOf<{ manifests: { digest: string }[] }>(links, path, asked, { manifests: [] })
  const manifests = new Map(lists.flatMap(({ answer }) => answer.manifests.map((each) => [each.digest, each] as const)))
  return { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [...manifests.values()] }
}
