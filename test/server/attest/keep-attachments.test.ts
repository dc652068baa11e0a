import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { attestationTypes } from '../../../server/attest/attestation-types.ts'
import { putAttachment } from '../../../server/attest/put-attachment.ts'
import { verifyImage } from '../../../server/attest/verify-image.ts'
import { mediaTypes } from '../../../server/api/media-types.ts'
import { checkStore } from '../../../server/image-store/check-store.ts'
import { openImageStore } from '../../../server/image-store/open-image-store.ts'
import { renderStoreReport } from '../../../server/image-store/render-store-report.ts'
import { startUpkeep } from '../../../server/image-store/start-upkeep.ts'
import { startImageServer } from '../image-store/image-server.ts'
import { attached, fileOf, flip, ingotImage, openSigned, temporaryFolder } from './signed-image.ts'

const dayMs = 86_400_000
/** Signed images whose store is looked after as if three days had gone by since. */
const setUp = async () => {
  const data = await temporaryFolder()
  const store = await openImageStore(join(data, 'images'), { now: () => new Date(Date.now() - 3 * dayMs) })
  const signed = await openSigned({ data, store })
  const { files } = store.registry
  const collect = async () => {
    const at = new Date(Date.now() - 2 * dayMs)
    for (const { digest } of await files.list()) await utimes(files.path(digest), at, at)
    return store.registry.collectGarbage({ keepSince: new Date(Date.now() - dayMs) })
  }
  return { ...signed, store, files, collect }
}

test('a signature is no version of an image, and never the newest', async () => {
  const { store, image } = await setUp()
  expect((await store.list()).map(({ version }) => version)).toEqual(['job-1'])
  expect((await store.resolve('debian-12')).digest).toBe(image.digest)
  await expect(store.resolve('debian-12', `${image.digest.replace(':', '-')}.sig`)).rejects.toMatchObject({ code: 'image-unknown' })
})

test('garbage collection leaves what is attached to an image, and takes it when the image was removed', async () => {
  const { store, files, collect, verify, publish } = await setUp()
  const before = (await files.list()).length
  await publish('job-2', 3)
  await collect()
  expect((await verify('job-1')).good).toBe(true)
  expect((await verify('job-2')).good).toBe(true)
  await store.remove('debian-12', 'job-2')
  await collect()
  expect((await files.list()).length).toBe(before)
  expect((await verify('job-1')).good).toBe(true)
  await store.remove('debian-12', 'job-1')
  expect(await store.registry.entries()).toEqual([])
  await collect()
  expect(await files.list()).toEqual([])
})

test('retention takes old versions with all that is attached to them', async () => {
  const { store, publish, verify } = await setUp()
  await publish('job-2', 3)
  for (const { digest } of await store.registry.files.list()) await utimes(store.registry.files.path(digest), new Date(0), new Date(0))
  const upkeep = startUpkeep({ store, rules: { keep: { count: 1 } } })
  onTestFinished(() => upkeep.close())
  await upkeep.run()
  expect((await store.list()).map(({ version }) => version)).toEqual(['job-2'])
  expect((await store.registry.entries()).map(({ subject }) => subject).filter((each) => each !== undefined)).toEqual(Array(4).fill((await store.resolve('debian-12')).digest))
  expect((await verify('job-2')).good).toBe(true)
})

test('what is about an image that never came goes once it is a day old', async () => {
  const { data, store, collect, files } = await setUp()
  const before = (await files.list()).length
  const subject = { mediaType: mediaTypes.manifest, digest: `sha256:${'1'.repeat(64)}`, size: 10 }
  await putAttachment(store.registry, 'debian-12', { subject, artifactType: 'text/x-note', blobs: [{ mediaType: 'text/plain', bytes: Buffer.from('a note') }] })
  const report = await checkStore(join(data, 'images'))
  expect([report.whole, report.forsaken]).toEqual([true, 1])
  expect(renderStoreReport(report)).toContain('1 signatures or other attachments are about images that are not here; `ingot image gc` takes those that are older than a day')
  await store.registry.collectGarbage({ keepSince: new Date(Date.now() - 4 * dayMs) })
  expect((await checkStore(join(data, 'images'))).forsaken).toBe(1)
  await collect()
  expect([(await checkStore(join(data, 'images'))).forsaken, (await files.list()).length]).toEqual([0, before])
})

test('F2 fsck names an image whose signature is damaged', async () => {
  const { data, store, image, files } = await setUp()
  const { digest, json } = await attached(store.registry, image, attestationTypes.signatureArtifact)
  await flip(files.path(json.layers[0].digest))
  const { manifests, whole } = await checkStore(join(data, 'images'))
  const broken = manifests.filter(({ problems }) => problems.length > 0)
  expect([whole, broken]).toEqual([false, [expect.objectContaining({ digest, isDisk: false, reference: `${image.digest.replace(':', '-')}.sig`, problems: [`blob ${json.layers[0].digest} is damaged`] })]])
})

test('skopeo takes image and signature to another store, where they verify', { timeout: 60_000 }, async () => {
  const { url, store, close } = await startImageServer()
  onTestFinished(close)
  const { image, key, store: source, data } = await setUp()
  const from = await startImageServer({ directory: join(data, 'images') })
  onTestFinished(from.close)
  const at = (address: string, tag: string) => `docker://${new URL(address).host}/debian-12:${tag}`
  const tag = image.digest.replace(':', '-')
  for (const each of ['job-1', `${tag}.sig`, `${tag}.att`]) {
    await run('skopeo', ['copy', '--quiet', '--src-tls-verify=false', '--dest-tls-verify=false', '--src-creds=any:operator', '--dest-creds=any:operator', at(from.url, each), at(url, each)])
  }
  const types = async (registry: typeof store.registry) => (await registry.referrers('debian-12', image.digest)).map(({ artifactType }) => artifactType)
  expect(await types(store.registry)).toEqual([attestationTypes.signatureArtifact, attestationTypes.attestationArtifact])
  expect((await types(source.registry)).length).toBe(4)
  const { findings } = await verifyImage('debian-12', 'job-1', { registry: store.registry, key: key.publicKey })
  expect(findings.filter(({ problems }) => problems.length === 0).map(({ part }) => part)).toEqual(['content', 'signature', 'provenance', 'sbom'])
})

test('an archive takes an image to another first computer with all that vouches for it, and verifies there by the key of its builder', { timeout: 60_000 }, async () => {
  const { data, key } = await setUp()
  const [archive, other] = [join(await temporaryFolder(), 'image.tar'), await temporaryFolder()]
  await ingotImage(['export', 'debian-12', '--data', data, '--output', archive])
  await ingotImage(['import', archive, '--data', other])
  const { code, lines } = await ingotImage(['verify', 'debian-12', '--data', other, '--key', await fileOf(key.publicKey.pem)])
  expect([code, lines.at(-1)]).toEqual([0, 'all is as it was signed'])
})
