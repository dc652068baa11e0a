import { expect, onTestFinished, test } from 'vitest'
import { createImageStore } from '../../../server/image-store/open-image-store.ts'
import { createRegistryClient } from '../../../server/image-store/registry-client.ts'
import { createRemoteRegistry } from '../../../server/image-store/remote-registry.ts'
import { openUploads } from '../../../server/image-store/upload-store.ts'
import { openJobServer } from '../../appliance/worker/job-server.ts'
import { registryUser, startDockerRegistry } from '../image-store/docker-registry.ts'
import { openMaster } from '../master/open-master.ts'
import { filled, sampleConfig, storeSample } from '../image-store/sample-image.ts'
import { attachProof, bootedRecord, facts, fileOf, flip, ingotImage, openSigned, problemsOf, temporaryFolder } from './signed-image.ts'

const openRegistry = async () => {
  const registry = await startDockerRegistry()
  onTestFinished(registry.close)
  const client = createRegistryClient({ url: `${registry.url}/team`, credentials: registryUser })
  const store = createImageStore(createRemoteRegistry(client), await openUploads(await temporaryFolder()))
  return { registry, store }
}

test('in a registry that knows no referrers an image is signed, verified and removed with all that is attached to it', { timeout: 60_000 }, async () => {
  const { registry, store } = await openRegistry()
  const { verify, publish, attestor, image } = await openSigned({ store })
  const second = await publish('job-2', 3)
  for (const version of ['job-1', 'job-2']) expect(problemsOf(await verify(version))).toEqual({})
  expect((await store.list()).map(({ version }) => version)).toEqual(['job-1', 'job-2'])
  expect((await store.resolve('debian-12')).digest).toBe(second.digest)

  await store.remove('debian-12', 'job-1')
  const tag = second.digest.replace(':', '-')
  expect((await store.registry.tags('debian-12')).toSorted()).toEqual(['job-2', 'latest', tag, `${tag}.att`, `${tag}.sig`])
  expect(await store.registry.referrers('debian-12', image.digest)).toEqual([])
  expect((await verify('job-2')).good).toBe(true)

  // The newest that is left is the newest.
  const third = await publish('job-3', 4)
  expect((await store.resolve('debian-12')).digest).toBe(third.digest)
  await store.remove('debian-12', 'job-3')
  expect((await store.resolve('debian-12')).digest).toBe(second.digest)

  // As a job's image comes: attested while nobody sees it.
  const { bytes } = await storeSample(store, [filled(0, 1)], sampleConfig())
  const hidden = await store.receive('debian-12', 'job-4', bytes)
  const { digest: proof } = await attachProof(store.registry, hidden, bootedRecord(hidden))
  await attestor.attest(hidden, { ...facts, proof })
  expect((await store.list()).map(({ version }) => version)).toEqual(['job-2'])
  await store.makeVisible('debian-12', 'job-4', hidden.digest)
  expect(problemsOf(await verify('job-4'))).toEqual({})

  await flip(registry.blobPath(second.manifest.layers[1]!.digest))
  expect(problemsOf(await verify('job-2'))).toEqual({ content: expect.stringMatching(/^blob sha256:\w+ reads back as/) })
})

test('image verify asks a running first computer by HTTP, and through a master', { timeout: 60_000 }, async () => {
  const server = await openJobServer()
  const { key, image } = await openSigned({ data: server.directory })
  const env = { INGOT_SERVER: server.url, INGOT_TOKEN: await server.tokens.create({ role: 'operator', name: 'test' }) }
  const open = await fetch(`${server.url}/signing-key.pub`)
  expect([open.status, open.headers.get('content-type'), await open.text()]).toEqual([200, 'application/x-pem-file', key.publicKey.pem])
  expect((await ingotImage(['key'], env)).lines.join('\n')).toBe(key.publicKey.pem.trimEnd())
  const asked = await ingotImage(['verify', 'debian-12'], env)
  expect([asked.code, asked.lines[0], asked.lines.at(-1)]).toEqual([0, `debian-12:job-1  ${image.digest}`, 'all is as it was signed'])

  const master = await openMaster({ 'hall-a': server })
  const throughMaster = { INGOT_SERVER: master.url, INGOT_TOKEN: await master.tokens.create({ role: 'operator', name: 'test' }) }
  const keyFile = await fileOf(key.publicKey.pem)
  const relayed = await ingotImage(['verify', 'debian-12:hall-a.job-1', '--key', keyFile], throughMaster)
  expect([relayed.code, relayed.lines[0], relayed.lines.at(-1)]).toEqual([0, `debian-12:hall-a.job-1  ${image.digest}`, 'all is as it was signed'])
  await expect(ingotImage(['key'], throughMaster)).rejects.toMatchObject({ code: 'server-refused' })

  // The server holds chunks in memory that were just asked for.
  await server.stop()
  await flip(`${server.directory}/images/blobs/sha256/${image.manifest.layers[1]!.digest.slice(7)}`)
  await server.start()
  const damaged = await ingotImage(['verify', 'debian-12'], env)
  expect([damaged.code, damaged.lines[1]]).toEqual([1, expect.stringMatching(/^✗ content .*blob sha256:\w+: what was stored reads back as sha256:\w+/)])
  await server.stop()
  await expect(ingotImage(['verify', 'debian-12', '--key', keyFile], env)).rejects.toMatchObject({ code: 'store-unreachable' })
})
