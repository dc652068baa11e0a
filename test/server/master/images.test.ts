import { randomBytes } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { attestationTypes } from '../../../server/attest/attestation-types.ts'
import { digestOf } from '../../../server/image-store/digest.ts'
import { openJobServer } from '../../appliance/worker/job-server.ts'
import { openSigned, temporaryFolder } from '../attest/signed-image.ts'
import { startImageServer } from '../image-store/image-server.ts'
import { openMaster } from './open-master.ts'

test('F9 a blob goes up in pieces by way of the master, goes on where it was cut, and is at the first computer of its job only', async () => {
  const [a, b] = [await openJobServer(), await openJobServer()]
  await b.addJob({ id: 'x' })
  const master = await openMaster({ a, b })
  const claim = randomBytes(32).toString('base64url')
  await master.worker('PUT', '/status/b.x.json', { json: {}, headers: { 'if-none-match': '*', 'ingot-claim': claim } })
  const bytes = randomBytes(300_000)
  const headers = { 'ingot-job': 'b.x', 'ingot-claim': claim, 'content-type': 'application/octet-stream' }
  const begun = await master.worker('POST', '/v2/r/blobs/uploads/', { headers })
  const upload = begun.headers.get('location')!
  const piece = await master.worker('PATCH', upload, { headers: { ...headers, 'content-range': '0-99999' }, body: bytes.subarray(0, 100_000) })
  expect([begun.status, piece.status, piece.headers.get('range')]).toEqual([202, 202, '0-99999'])
  const wrong = await master.worker('PATCH', upload, { headers: { ...headers, 'content-range': '50-99' }, body: bytes.subarray(50, 100) })
  expect([wrong.status, wrong.headers.get('range'), (await master.worker('GET', upload, { headers })).headers.get('range')]).toEqual([416, '0-99999', '0-99999'])
  const put = await master.worker('PUT', `${upload}?digest=${digestOf(bytes)}`, { headers, body: bytes.subarray(100_000) })
  expect([put.status, put.headers.get('location')]).toEqual([201, `/v2/r/blobs/${digestOf(bytes)}`])
  const at = async (url: string, tokens: typeof a.tokens) =>
    (await fetch(`${url}/v2/r/blobs/${digestOf(bytes)}`, { method: 'HEAD', headers: { authorization: `Bearer ${await tokens.create({ role: 'operator', name: 'o' })}` } })).status
  expect([await at(a.url, a.tokens), await at(b.url, b.tokens)]).toEqual([404, 200])
})

test('skopeo pushes to one first computer by way of the master, and what is about the image is found there', { timeout: 60_000 }, async () => {
  const [a, b] = [await openJobServer(), await openJobServer()]
  const master = await openMaster({ a, b })
  const { image, data } = await openSigned({ data: await temporaryFolder() })
  const source = await startImageServer({ directory: `${data}/images` })
  onTestFinished(source.close)
  const credential = await master.tokens.create({ role: 'operator', name: 'skopeo' })
  const tag = image.digest.replace(':', '-')
  for (const each of ['job-1', `${tag}.sig`, `${tag}.att`]) {
    const [from, to] = [`docker://${new URL(source.url).host}/debian-12:${each}`, `docker://${new URL(master.url).host}/b/debian-12:${each}`]
    await run('skopeo', ['copy', '--quiet', '--src-tls-verify=false', '--dest-tls-verify=false', '--src-creds=any:operator', `--dest-creds=any:${credential}`, from, to])
  }
  expect((await master.operator('GET', '/v2/debian-12/tags/list')).body).toEqual({ name: 'debian-12', tags: ['b.job-1', `${tag}.att`, `${tag}.sig`] })
  expect((await master.operator('GET', '/v2/b/debian-12/tags/list')).body.tags).toEqual(['job-1', `${tag}.att`, `${tag}.sig`])
  const firstPage = await master.operator('GET', '/v2/b/debian-12/tags/list?n=1')
  expect([firstPage.body.tags, firstPage.headers.get('link')]).toEqual([['job-1'], '</v2/b/debian-12/tags/list?n=1&last=job-1>; rel="next"'])
  expect((await master.operator('HEAD', `/v2/debian-12/manifests/${tag}.sig`)).status).toBe(200)
  for (const name of ['debian-12', 'b/debian-12']) {
    const all = await master.operator('GET', `/v2/${name}/referrers/${image.digest}`)
    expect([all.status, all.headers.get('content-type'), all.body.manifests.length]).toEqual([200, 'application/vnd.oci.image.index.v1+json', 2])
    const some = await master.operator('GET', `/v2/${name}/referrers/${image.digest}?artifactType=${encodeURIComponent(attestationTypes.signatureArtifact)}`)
    expect([some.headers.get('oci-filters-applied'), some.body.manifests.map(({ artifactType }: any) => artifactType)]).toEqual(['artifactType', [attestationTypes.signatureArtifact]])
  }
  expect((await master.operator('POST', '/v2/debian-12/blobs/uploads/')).body.errors[0].message).toContain('an image without a job is called after its first computer, as a/debian-12')
})
