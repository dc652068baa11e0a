import type { FastifyReply } from 'fastify'
import { isSnapshotTag } from '../../../images/snapshot-tag.ts'
import type { OciCall, OciHandler } from './oci-context.ts'
import { OciError } from './oci-error.ts'

/** Tags in the order of their bytes, in pages if wanted (OCI distribution-spec 1.1, "Listing Tags"). */
export const getTags: OciHandler<{ name: string }> = async ({ name }, call) => {
  const { registry } = call.options.store
  const tags = (await registry.tags(name)).filter((tag) => !isSnapshotTag(tag))
  if (tags.length === 0 && !(await registry.names()).includes(name)) throw new OciError('NAME_UNKNOWN', `no image ${name} is stored`)
  return sendPage(call, `/v2/${name}/tags/list`, tags, (page) => ({ name, tags: page }))
}

/** Names of all images. Not of the specification, but most registries have it from Docker's. */
export const getCatalog: OciHandler<object> = async (_, call) =>
  sendPage(call, '/v2/_catalog', await call.options.store.registry.names(), (page) => ({ repositories: page }))

/** Sends one page of names, in the order of their bytes, with a link to the next (RFC 8288); throws `OciError` for a wrong `n`. */
export function sendPage({ reply, query: { n, last = '' } }: Pick<OciCall, 'reply' | 'query'>, path: string, all: readonly string[], render: (page: string[]) => object): FastifyReply {
  if (n !== undefined && !/^\d{1,9}$/.test(n)) throw new OciError('PAGINATION_NUMBER_INVALID', `n: expected a number, got "${n}"`)
  const left = all.filter((each) => each > last).sort()
  const page = n === undefined ? left : left.slice(0, Number(n))
  const end = page.at(-1)
  // RFC 8288; the page after an empty one would be itself.
  if (end !== undefined && page.length < left.length) reply.header('link', `<${path}?n=${n}&last=${encodeURIComponent(end)}>; rel="next"`)
  return reply.send(render(page))
}
