import { imageListSchema, imageSchema } from './answers.ts'
import { content, json, nothing, type RouteDescription, type RouteDescriptions } from './route-description.ts'

const download = { tag: 'Images', access: 'lookOrWork', answers: { 200: content('The disk.', 'application/octet-stream'), 206: content('The range.', 'application/octet-stream'), 302: nothing('Of `latest`: where the newest version is.'), 304: nothing('It is the same.') } } as const

export const imageDescriptions: RouteDescriptions = {
  'GET /images/:name/:version/:file': { ...download, summary: 'An image as a file, in ranges too: `disk.raw`, `disk.qcow2`, `disk.raw.zst`, `disk.tar`' },
  'GET /images.json': { tag: 'Images', summary: 'Every version of every image, newest first, with proof and signature', access: 'look', answers: { 200: json('The list; a header `Link` leads to the next page.', imageListSchema) } },
  'GET /images/:name/:version.json': { tag: 'Images', summary: 'All that is known of an image', access: 'look', answers: { 200: json('The image.', imageSchema) } },
  'GET /signing-key.pub': { tag: 'Images', summary: 'The key by which the images of this server are verified', access: 'anyone', answers: { 200: content('The key, as PEM.', 'application/x-pem-file') } },
}

const registry = (summary: string, status: number, description: string, type?: string): Omit<RouteDescription, 'access'> => ({
  tag: 'Registry',
  summary,
  answers: { [status]: type === undefined ? nothing(description) : content(description, type) },
})
const read = { access: 'lookOrWork' } as const
const write = { access: 'changeOrWork' } as const
const oci = 'application/vnd.oci.image.manifest.v1+json'

/** The endpoints of the OCI registry below `/v2/`, which is one route (distribution-spec 1.1). A name may have several segments. */
export const registryDescriptions: RouteDescriptions = {
  'GET /v2/': { ...registry('Whether this is a registry', 200, 'It is.', 'application/json'), ...read },
  'GET /v2/_catalog': { ...registry('The names of what is kept, in pages by `n` and `last`', 200, 'The names.', 'application/json'), ...read },
  'GET /v2/:name/tags/list': { ...registry('The versions of a name, in pages by `n` and `last`', 200, 'The versions.', 'application/json'), ...read },
  'GET /v2/:name/manifests/:reference': { ...registry('A manifest, by version or digest', 200, 'The manifest.', oci), ...read },
  'PUT /v2/:name/manifests/:reference': { ...registry('Publish a manifest, once all that it names is there', 201, 'It is published.'), ...write },
  'DELETE /v2/:name/manifests/:reference': { ...registry('Remove a version', 202, 'It is removed.'), access: 'change' },
  'GET /v2/:name/blobs/:digest': { ...registry('A blob, in ranges too', 200, 'The blob.', 'application/octet-stream'), ...read },
  'DELETE /v2/:name/blobs/:digest': { ...registry('Remove a blob that nothing names', 202, 'It is removed.'), access: 'change' },
  'POST /v2/:name/blobs/uploads/': { ...registry('Begin an upload, or send or mount a blob in one request', 202, 'The upload has begun.'), ...write },
  'GET /v2/:name/blobs/uploads/:upload': { ...registry('How much of an upload is here', 204, 'The header `Range` tells.'), ...read },
  'PATCH /v2/:name/blobs/uploads/:upload': { ...registry('Send a piece', 202, 'It is kept.'), ...write },
  'PUT /v2/:name/blobs/uploads/:upload': { ...registry('End an upload, with its last piece', 201, 'The blob is kept.'), ...write },
  'DELETE /v2/:name/blobs/uploads/:upload': { ...registry('Give an upload up', 204, 'It is given up.'), ...write },
  'GET /v2/:name/referrers/:digest': { ...registry('The manifests about a manifest', 200, 'An index of them.', 'application/vnd.oci.image.index.v1+json'), ...read },
}
