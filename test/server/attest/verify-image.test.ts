import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { attestationTypes, subjectOf } from '../../../server/attest/attestation-types.ts'
import { putAttachment } from '../../../server/attest/put-attachment.ts'
import { openSigningKey } from '../../../server/attest/signing-key.ts'
import { renderSimpleSigning } from '../../../server/attest/simple-signing.ts'
import { verifyImage, type Verdict } from '../../../server/attest/verify-image.ts'
import { mediaTypes } from '../../../server/api/media-types.ts'
import { openImageStore } from '../../../server/image-store/open-image-store.ts'
import { attached, attachProof, bootedRecord, fileOf, flip, ingotImage, openSigned, problemsOf, temporaryFolder } from './signed-image.ts'

const pathOf = (data: string, digest: string) => join(data, 'images/blobs/sha256', digest.slice(7))

test('an image that is as it was signed is good, by version, by latest and by digest', async () => {
  const { image, key, verify } = await openSigned()
  const verdict = await verify()
  expect(verdict).toEqual({
    image: 'debian-12',
    version: 'job-1',
    digest: image.digest,
    key: key.publicKey.fingerprint,
    good: true,
    findings: [
      { part: 'content', tells: expect.stringMatching(/^3 blobs of .* read back, each has its digest; a disk of 4 MiB$/), problems: [] },
      { part: 'signature', tells: `by the key ${key.publicKey.fingerprint}`, problems: [] },
      { part: 'provenance', tells: 'recipe debian-12, job web-1, machine 52-54-00-12-34-56, built 2026-11-23T21:20:02.123Z in 1m 18s', problems: [] },
      { part: 'sbom', tells: 'SPDX-2.3, packages: 2', problems: [] },
      { part: 'proof', tells: 'booted by bios (login after 25.7 s), checks passed: 1', problems: [] },
    ],
  })
  for (const reference of ['latest', image.digest]) expect(await verify(reference)).toEqual(verdict)
})

test('each part that is damaged on the disk is named', async () => {
  type Signed = Awaited<ReturnType<typeof openSigned>>
  const manifestOf = (type: string) => async ({ store, image }: Signed) => (await attached(store.registry, image, type)).digest
  const layerOf = (type: string, layer: number) => async ({ store, image }: Signed) => (await attached(store.registry, image, type)).json.layers[layer].digest as string
  const cases: [string, (signed: Signed) => Promise<string>, RegExp][] = [
    ['a chunk', async ({ image }) => image.manifest.layers[1]!.digest, /^content: blob sha256:\w+ reads back as sha256:\w+$/],
    ['the config', async ({ image }) => image.manifest.config.digest, /content: blob sha256:\w+ reads back as/],
    ['the manifest', async ({ image }) => image.digest, /^content: blob sha256:\w+: what was stored reads back as/],
    ['the signed payload', layerOf(attestationTypes.signatureArtifact, 0), /^signature: blob sha256:\w+: what was stored reads back as/],
    ['the manifest of the signature', manifestOf(attestationTypes.signatureArtifact), /signature: none is attached; blob sha256:\w+: what was stored reads back as/],
    ['the provenance', layerOf(attestationTypes.attestationArtifact, 0), /^provenance: blob sha256:\w+: what was stored reads back as.*proof: the record/s],
    ['the manifest of the bill of materials', manifestOf(attestationTypes.spdx), /^sbom: blob sha256:\w+: what was stored reads back as/],
    ['the bill of materials', layerOf(attestationTypes.spdx, 0), /^sbom: blob sha256:\w+: what was stored reads back as/],
    ['the signed bill of materials', layerOf(attestationTypes.attestationArtifact, 1), /^sbom: blob sha256:\w+: what was stored reads back as/],
    ['the proof', layerOf(mediaTypes.proof, 0), /^proof: blob sha256:\w+: what was stored reads back as/],
    ['the console of the proof', layerOf(mediaTypes.proof, 1), /^proof: blob sha256:\w+: what was stored reads back as/],
  ]
  for (const [part, find, problem] of cases) {
    const signed = await openSigned()
    await flip(pathOf(signed.data, await find(signed)))
    const verdict = await signed.verify()
    const told = Object.entries(problemsOf(verdict)).map(([name, problems]) => `${name}: ${problems}`).join('\n')
    expect([part, verdict.good, told]).toEqual([part, false, expect.stringMatching(problem)])
  }
})

test('a missing chunk is named', async () => {
  const { data, image, verify } = await openSigned()
  const { digest } = image.manifest.layers[0]!
  await unlink(pathOf(data, digest))
  expect(problemsOf(await verify())).toEqual({ content: `blob ${digest} is missing` })
})

test('an image signed by another key is not trusted, nor what its statements say', async () => {
  const { verify } = await openSigned()
  const other = await openSigningKey(await temporaryFolder())
  expect(problemsOf(await verify('job-1', other.publicKey))).toEqual({
    signature: `it does not fit the key ${other.publicKey.fingerprint}: made with another, or changed afterwards`,
    provenance: expect.stringMatching(/^its envelope does not fit the key/),
    sbom: expect.stringMatching(/^its envelope does not fit the key/),
    proof: expect.stringMatching(/is not named in a signed provenance: anyone may have attached it$/),
  })
})

test('a signature of another image, and one whose payload was exchanged, do not count', async () => {
  const { store, key, image, verify, publish } = await openSigned()
  const tag = `${image.digest.replace(':', '-')}.sig`
  const { digest: own } = await attached(store.registry, image, attestationTypes.signatureArtifact)
  const other = await publish('job-2', 3)
  const { json } = await attached(store.registry, other, attestationTypes.signatureArtifact)
  await store.registry.remove('debian-12', own)
  const sign = (payload: Buffer, signature: string) =>
    putAttachment(store.registry, 'debian-12', {
      subject: subjectOf(image),
      artifactType: attestationTypes.signatureArtifact,
      blobs: [{ mediaType: attestationTypes.signaturePayload, bytes: payload, annotations: { [attestationTypes.signatureAnnotation]: signature } }],
      tag,
    })
  const foreign = renderSimpleSigning({ repository: '10.77.0.1:8080/debian-12', digest: other.digest })
  const { digest: borrowed } = await sign(foreign, json.layers[0].annotations[attestationTypes.signatureAnnotation])
  expect(problemsOf(await verify())).toEqual({ signature: `it is that of another image, ${other.digest}` })
  await store.registry.remove('debian-12', borrowed)
  const { digest: exchanged } = await sign(renderSimpleSigning({ repository: 'x', digest: image.digest }), json.layers[0].annotations[attestationTypes.signatureAnnotation])
  expect(problemsOf(await verify())).toEqual({ signature: expect.stringContaining(`does not fit the key ${key.publicKey.fingerprint}`) })
  await store.registry.remove('debian-12', exchanged)
  expect(problemsOf(await verify())).toEqual({ signature: 'none is attached' })
})

test('a bill of materials that someone put in place of the signed one is named', async () => {
  const { store, image, verify } = await openSigned()
  const { digest } = await attached(store.registry, image, attestationTypes.spdx)
  await store.registry.remove('debian-12', digest)
  expect((await verify()).good).toBe(true)
  const forged = Buffer.from(JSON.stringify({ spdxVersion: 'SPDX-2.3', packages: [{ SPDXID: 'SPDXRef-Image' }] }))
  await putAttachment(store.registry, 'debian-12', { subject: subjectOf(image), artifactType: attestationTypes.spdx, blobs: [{ mediaType: attestationTypes.spdx, bytes: forged }] })
  expect(problemsOf(await verify())).toEqual({ sbom: expect.stringMatching(/^the document sha256:\w+ is another than the signed one$/) })
})

test('F2 an image without a proof is not good, one that needs none is told as such, and a forged proof does not count', async () => {
  const { store, image, verify } = await openSigned({ record: 'absent' })
  expect(problemsOf(await verify())).toEqual({ proof: 'no record of one is attached' })
  const { digest } = await attachProof(store.registry, image, bootedRecord(image))
  expect(problemsOf(await verify())).toEqual({ proof: `the record ${digest} is not named in a signed provenance: anyone may have attached it` })

  const none = await openSigned({ record: ({ name, digest: of }) => ({ version: 1, image: name, digest: of, proof: 'none' }) })
  const verdict = await none.verify()
  expect([verdict.good, verdict.findings.at(-1)]).toEqual([true, { part: 'proof', tells: 'none: the recipe asks for no proof, the image was published as it came', problems: [] }])

  const wrong = await openSigned({ record: (of) => ({ ...bootedRecord(of), digest: `sha256:${'0'.repeat(64)}` }) })
  expect(problemsOf(await wrong.verify())).toEqual({ proof: `the record is about another image, sha256:${'0'.repeat(64)}` })
})

test('a signed image that someone put in the place of another is named', async () => {
  const { store, key, image } = await openSigned()
  const { bytes } = (await store.registry.read('debian-12', 'job-1'))!
  await store.publish('web', 'job-9', bytes)
  for (const attachment of await store.registry.referrers('debian-12', image.digest)) await store.putManifest('web', attachment.tag ?? attachment.digest, attachment.bytes)
  const verdict = await verifyImage('web', 'latest', { registry: store.registry, key: key.publicKey })
  expect(problemsOf(verdict)).toEqual({ provenance: expect.stringMatching(/^it is that of another image: expected \{"image":"web",.*got \{"image":"debian-12",/) })
})

test('an image that was never signed tells each part that is missing', async () => {
  const { store, image, verify } = await openSigned()
  for (const { digest } of await store.registry.referrers('debian-12', image.digest)) await store.registry.remove('debian-12', digest)
  expect(problemsOf(await verify())).toEqual({ signature: 'none is attached', provenance: 'none is attached', sbom: 'none is attached', proof: 'no record of one is attached' })
})

test('an image that is not there is an error and no verdict', async () => {
  const { verify } = await openSigned()
  await expect(verify('job-9')).rejects.toMatchObject({ code: 'image-unknown' })
})

test('image verify tells a person what is so, and exits with 1 when a part is wrong', async () => {
  const { data, image, key } = await openSigned()
  const { code, lines } = await ingotImage(['verify', 'debian-12', '--data', data])
  expect([code, lines[0], lines.at(-1)]).toEqual([0, `debian-12:job-1  ${image.digest}`, 'all is as it was signed'])
  expect(lines[2]).toBe(`✓ signature   by the key ${key.publicKey.fingerprint}`)
  const printed = await ingotImage(['key', '--data', data])
  expect(printed.lines.join('\n')).toBe(key.publicKey.pem.trimEnd())
  expect((await ingotImage(['key', '--fingerprint', '--data', data])).lines).toEqual([key.publicKey.fingerprint])

  await flip(pathOf(data, image.manifest.layers[1]!.digest))
  const damaged = await ingotImage(['verify', 'debian-12:job-1', '--data', data, '--key', await fileOf(key.publicKey.pem)])
  expect([damaged.code, damaged.lines[1], damaged.lines.at(-1)]).toEqual([
    1,
    expect.stringMatching(/^✗ content     blob sha256:\w+ reads back as/),
    'do not trust this image, for its content',
  ])
  const json = await ingotImage(['verify', `debian-12@${image.digest}`, '--data', data, '--json'])
  expect([json.code, (JSON.parse(json.lines[0]!) as Verdict).good]).toEqual([1, false])
})

test('a wrong key file, and a data directory without a key, are one clear error', async () => {
  const { data } = await openSigned()
  const wrong = await fileOf('no key')
  await expect(ingotImage(['verify', 'debian-12', '--data', data, '--key', wrong])).rejects.toMatchObject({ code: 'data-invalid', message: expect.stringContaining(`${wrong}: expected an Ed25519 public key in PEM, got something that cannot be read`) })
  await expect(ingotImage(['verify', 'debian-12', '--data', data, '--key', join(data, 'signing-key.pem')])).rejects.toMatchObject({ message: expect.stringContaining('got a private key') })
  const empty = await temporaryFolder()
  const store = await openImageStore(join(empty, 'images'))
  onTestFinished(() => store.close())
  await expect(ingotImage(['key', '--data', empty])).rejects.toMatchObject({ code: 'data-invalid', message: expect.stringMatching(/signing-key\.pub: expected a public key, which `ingot serve` makes when it starts, got no file$/) })
  await expect(ingotImage(['key'])).rejects.toMatchObject({ code: 'argument-invalid' })
  await expect(ingotImage(['key', '--data', data, '--server', 'http://x'])).rejects.toMatchObject({ code: 'argument-invalid' })
})
