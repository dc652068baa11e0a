import type { Role } from '../../../server/api/role.ts'

/** Who asks: nobody in particular, or with a credential of a role. */
export const askers = ['nobody', 'worker', 'viewer', 'operator', 'admin'] as const
export type Asker = 'nobody' | Role

/** Who is let in, by kind of thing. That a worker sees no job but its own is another matter: `own-job.test.ts`. */
const access = {
  everyone: ['nobody', 'worker', 'viewer', 'operator', 'admin'],
  whoeverIsKnown: ['worker', 'viewer', 'operator', 'admin'],
  look: ['viewer', 'operator', 'admin'],
  change: ['operator', 'admin'],
  work: ['worker', 'admin'],
  changeOrWork: ['worker', 'operator', 'admin'],
  administer: ['admin'],
} as const satisfies Record<string, readonly Asker[]>

/** One route: as it is registered, who is let in, and a request that is well-formed. What it names does not exist, so that nothing comes of it. */
export interface Row {
  route: string
  /** When a route does several things, which one this row is about. */
  target?: string
  letIn: readonly Asker[]
  path: string
  json?: unknown
  text?: string
  headers?: Record<string, string>
}

const digest = `sha256:${'0'.repeat(64)}`
const mac = '52-54-00-00-00-99'
const claim = { 'ingot-claim': 'A'.repeat(43), 'ingot-job': 'none' }
const inventory = {
  ...{ id: mac, uuid: '', firmware: 'bios', secureBoot: false, architecture: 'amd64', manufacturer: '', model: '', serial: '' },
  ...{ cpu: { model: '', cores: 1 }, memoryBytes: 0, disks: [], nics: [], workerVersion: '0' },
}
const deployed = { job: 'none', image: 'none', version: '1', digest, deployedAt: '2026-11-23T21:20:01.123Z' }

const row = (route: string, letIn: keyof typeof access, more: Partial<Row> = {}): Row => ({ route, letIn: access[letIn], path: route.slice(route.indexOf(' ') + 1), ...more })
/** An endpoint of the OCI distribution API, all of which are one route. */
const oci = (method: string, target: string, letIn: keyof typeof access, more: Partial<Row> = {}): Row =>
  row(`${method} /v2/*`, letIn, { target, path: `/v2/${target}`, headers: { ...claim, 'content-type': 'application/octet-stream' }, ...(method === 'GET' || method === 'HEAD' ? {} : { text: '{}' }), ...more })

/** Every route of a first computer and of a master. */
export const table: readonly Row[] = [
  row('GET /healthz', 'everyone'),
  row('GET /readyz', 'everyone'),
  // The console and the description of the API; what they show is asked for with a credential.
  row('GET /', 'everyone'),
  row('GET /console/:file', 'everyone', { path: '/console/none' }),
  row('GET /api', 'everyone'),
  row('GET /api.css', 'everyone'),
  row('GET /openapi.json', 'everyone'),
  row('GET /schemas/jobs.json', 'everyone'),
  row('GET /schemas/status.json', 'everyone'),
  row('GET /signing-key.pub', 'everyone'),
  row('GET /authority.crt', 'everyone'),
  row('GET /packages/:mirror/*', 'everyone', { path: '/packages/none/x' }),
  row('GET /packages/*', 'everyone', { path: '/packages/none/x' }),
  row('POST /credentials', 'everyone', { json: { ticket: 'none' } }),
  row('POST /session', 'everyone', { json: { token: 'none' } }),
  row('DELETE /session', 'everyone', { headers: { origin: 'own' } }),
  row('GET /session', 'whoeverIsKnown'),

  row('GET /metrics', 'look'),
  row('GET /events', 'look'),
  row('GET /overview.json', 'look'),
  row('GET /overview/events', 'look'),
  row('GET /timelines.json', 'look'),
  row('GET /machines/:id/timeline', 'look', { path: `/machines/${mac}/timeline` }),
  row('GET /machines/:id/console', 'look', { path: `/machines/${mac}/console` }),
  row('GET /images.json', 'look'),
  row('GET /images/:name/:version.json', 'look', { path: '/images/none/1.json' }),
  row('GET /recipes.json', 'look'),
  row('GET /performed.json', 'look'),
  row('GET /machines.json', 'look'),
  row('GET /machines/:id/plan', 'look', { path: `/machines/${mac}/plan?recipe=none` }),
  row('GET /jobs/:id.json', 'look', { path: '/jobs/none.json' }),
  row('GET /images/:name/:version/:file', 'look', { path: '/images/none/1/disk.raw' }),
  row('GET /jobs.json', 'whoeverIsKnown'),
  row('GET /jobs.json', 'work', { target: '?worker=', path: `/jobs.json?worker=${mac}` }),
  row('GET /plans/:id.json', 'whoeverIsKnown', { path: '/plans/none.json', headers: claim }),
  row('GET /status/:id.json', 'whoeverIsKnown', { path: '/status/none.json', headers: claim }),
  row('GET /logs/:id.log', 'whoeverIsKnown', { path: '/logs/none.log', headers: claim }),
  row('GET /components/:digest', 'whoeverIsKnown', { path: `/components/${digest}`, headers: claim }),

  row('POST /jobs', 'change', { json: { recipe: 'none' } }),
  row('PATCH /jobs/:id', 'change', { path: '/jobs/none', json: { priority: 1 } }),
  row('POST /jobs/:id/move', 'change', { path: '/jobs/none/move', json: { at: 'last' } }),
  row('POST /jobs/:id/assign', 'change', { path: '/jobs/none/assign', json: { machine: mac } }),
  row('POST /jobs/:id/retry', 'change', { path: '/jobs/none/retry' }),
  row('POST /jobs/:id/cancel', 'change', { path: '/jobs/none/cancel' }),
  row('DELETE /jobs/:id', 'change', { path: '/jobs/none' }),
  row('PUT /machines/:id/labels', 'change', { path: `/machines/${mac}/labels`, json: { labels: {} } }),
  row('POST /machines/:id/admit', 'change', { path: `/machines/${mac}/admit` }),
  row('POST /machines/:id/refuse', 'change', { path: `/machines/${mac}/refuse` }),
  row('PUT /machines/:id/scratch/:serial', 'change', { path: `/machines/${mac}/scratch/S1` }),
  row('DELETE /machines/:id/scratch/:serial', 'change', { path: `/machines/${mac}/scratch/S1` }),

  row('GET /tokens.json', 'administer'),
  row('POST /tokens', 'administer', { json: { role: 'viewer', name: 'none' } }),
  row('DELETE /tokens/:id', 'administer', { path: '/tokens/000000000000' }),
  row('GET /audit.json', 'administer'),

  row('PUT /status/:id.json', 'work', { path: '/status/none.json', json: {}, headers: { ...claim, 'if-none-match': '*' } }),
  row('DELETE /status/:id.json', 'work', { path: '/status/none.json', headers: claim }),
  row('POST /logs/:id.log', 'work', { path: '/logs/none.log', text: 'x', headers: { ...claim, 'content-type': 'text/plain' } }),
  row('PUT /machines/:id.json', 'work', { path: `/machines/${mac}.json`, json: inventory }),
  row('POST /machines/:id/console', 'work', { path: `/machines/worker/console`, text: 'x', headers: { 'content-type': 'text/plain' } }),
  row('PUT /machines/:id/system', 'work', { path: `/machines/worker/system`, json: deployed }),
  row('DELETE /machines/:id/system', 'changeOrWork', { path: `/machines/worker/system` }),

  oci('GET', '', 'whoeverIsKnown'),
  oci('GET', '_catalog', 'look'),
  oci('GET', 'none/tags/list', 'look'),
  oci('GET', `none/referrers/${digest}`, 'look'),
  oci('GET', 'none/manifests/1', 'whoeverIsKnown'),
  oci('GET', `none/blobs/${digest}`, 'whoeverIsKnown'),
  oci('GET', 'none/blobs/uploads/none', 'whoeverIsKnown'),
  oci('POST', 'none/blobs/uploads/', 'changeOrWork'),
  oci('PATCH', 'none/blobs/uploads/none', 'changeOrWork'),
  oci('PUT', `none/blobs/uploads/none?digest=${digest}`, 'changeOrWork'),
  oci('DELETE', 'none/blobs/uploads/none', 'changeOrWork'),
  oci('PUT', 'none/manifests/1', 'changeOrWork'),
  oci('DELETE', 'none/manifests/1', 'change'),
  oci('DELETE', `none/blobs/${digest}`, 'change'),

  // What firmware fetches, which has no credential. The boot script of a machine that is not admitted holds no ticket.
  row('GET /boot/ipxe', 'everyone'),
  row('GET /boot/vmlinuz', 'everyone'),
  row('GET /boot/initramfs.img', 'everyone'),
  row('GET /boot/stage2.squashfs', 'everyone'),
  row('GET /boot/inventory.squashfs', 'everyone'),
  row('GET /boot/snponly.efi', 'everyone'),
]

/** Where a master differs: what it does not know is looked for at its first computers, of which one must be named. */
export const atMaster = ({ path, headers, ...each }: Row): Row => ({
  ...each,
  // A worker tells only the server that its machine booted from.
  ...(each.route === 'DELETE /machines/:id/system' ? { letIn: access.change } : {}),
  path: path.replace(/^(\/(?:jobs|plans|status|logs)\/)none/, '$1a.none'),
  ...(headers === undefined ? {} : { headers: 'ingot-job' in headers ? { ...headers, 'ingot-job': 'a.none' } : headers }),
})
