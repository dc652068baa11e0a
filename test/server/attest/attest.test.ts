import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { attestationTypes, predicateTypes } from '../../../server/attest/attestation-types.ts'
import { preAuthEncoding } from '../../../server/attest/dsse.ts'
import { mediaTypes } from '../../../server/api/media-types.ts'
import type { ImageStore } from '../../../server/image-store/open-image-store.ts'
import { filled, storeSample } from '../image-store/sample-image.ts'
import { attached, facts, fileOf, openSigned } from './signed-image.ts'

/** openssl says whether a signature is that of a key. */
const opensslVerifies = async (publicKey: string, signature: string, bytes: Uint8Array) =>
  run('openssl', ['pkeyutl', '-verify', '-rawin', '-pubin', '-inkey', await fileOf(publicKey), '-sigfile', await fileOf(Buffer.from(signature, 'base64')), '-in', await fileOf(bytes)])

test('F2 an image is signed as cosign looks for it: a payload with its digest, under its .sig tag and as a referrer, which openssl verifies', async () => {
  const { store, key, image } = await openSigned()
  const byTag = await store.registry.read('debian-12', `${image.digest.replace(':', '-')}.sig`)
  const { digest, json } = await attached(store.registry, image, attestationTypes.signatureArtifact)
  expect(byTag?.digest).toBe(digest)
  expect(json.subject).toEqual({ mediaType: mediaTypes.manifest, digest: image.digest, size: image.manifestBytes })
  const [layer] = json.layers
  expect([json.config.mediaType, layer.mediaType]).toEqual(['application/vnd.oci.image.config.v1+json', 'application/vnd.dev.cosign.simplesigning.v1+json'])
  const payload = await readText(store, layer.digest)
  expect(JSON.parse(payload)).toEqual({
    critical: {
      identity: { 'docker-reference': '10.77.0.1:8080/debian-12' },
      image: { 'docker-manifest-digest': image.digest },
      type: 'cosign container image signature',
    },
    optional: null,
  })
  const signature = layer.annotations['dev.cosignproject.cosign/signature']
  expect(await opensslVerifies(key.publicKey.pem, signature, Buffer.from(payload))).toContain('Signature Verified Successfully')
  await expect(opensslVerifies(key.publicKey.pem, signature, Buffer.from(payload.replace('12', '13')))).rejects.toThrow()
})

test('the bill of materials is SPDX 2.3 with each package and its purl', async () => {
  const { store, image } = await openSigned()
  const { json } = await attached(store.registry, image, 'application/spdx+json')
  const sbom = JSON.parse(await readText(store, json.layers[0].digest))
  expect(sbom).toMatchObject({
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    creationInfo: { created: '2026-11-23T21:20:02Z', creators: ['Tool: ingot-0.1.0'] },
    documentNamespace: `https://ingot.dev/spdx/debian-12/${image.digest.slice(7)}`,
  })
  expect(sbom.packages[0]).toMatchObject({ primaryPackagePurpose: 'OPERATING_SYSTEM', downloadLocation: 'NOASSERTION', filesAnalyzed: false })
  expect(sbom.packages.map((each: any) => [each.SPDXID, each.name, each.versionInfo, each.externalRefs[0].referenceLocator])).toEqual([
    ['SPDXRef-Image', 'debian-12', 'job-1', `pkg:oci/debian-12@${image.digest}?tag=job-1`],
    ['SPDXRef-Package-1', 'libstdc++6', '12.2.0-14', 'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14'],
    ['SPDXRef-Package-2', 'nginx', '1:1.22.1-9+deb12u1', 'pkg:deb/debian/nginx@1:1.22.1-9+deb12u1'],
  ])
  expect(sbom.relationships.map((each: any) => [each.spdxElementId, each.relationshipType, each.relatedSpdxElement])).toEqual([
    ['SPDXRef-DOCUMENT', 'DESCRIBES', 'SPDXRef-Image'],
    ['SPDXRef-Image', 'CONTAINS', 'SPDXRef-Package-1'],
    ['SPDXRef-Image', 'CONTAINS', 'SPDXRef-Package-2'],
  ])
})

test('how it was built is an in-toto statement of SLSA v1 in an envelope that openssl verifies, and names bill and proof', async () => {
  const { store, key, image } = await openSigned()
  const { digest, json } = await attached(store.registry, image, attestationTypes.attestationArtifact)
  expect((await store.registry.read('debian-12', `${image.digest.replace(':', '-')}.att`))?.digest).toBe(digest)
  expect(json.layers.map((layer: any) => [layer.mediaType, layer.annotations.predicateType])).toEqual([
    ['application/vnd.dsse.envelope.v1+json', predicateTypes.provenance],
    ['application/vnd.dsse.envelope.v1+json', predicateTypes.spdx],
  ])
  const envelope = JSON.parse(await readText(store, json.layers[0].digest))
  const payload = Buffer.from(envelope.payload, 'base64')
  expect(await opensslVerifies(key.publicKey.pem, envelope.signatures[0].sig, preAuthEncoding('application/vnd.in-toto+json', payload))).toContain('Signature Verified Successfully')
  const [sbom, proof] = await Promise.all(['application/spdx+json', mediaTypes.proof].map((type) => attached(store.registry, image, type)))
  expect(JSON.parse(payload.toString())).toEqual({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: '10.77.0.1:8080/debian-12', digest: { sha256: image.digest.slice(7) } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'https://ingot.dev/recipe-build/v1',
        externalParameters: { recipe: image.config.recipe, image: 'debian-12', job: 'web-1', firmware: ['bios', 'uefi'], architecture: 'amd64' },
        internalParameters: { machine: '52-54-00-12-34-56' },
        resolvedDependencies: [
          { uri: `pkg:oci/base@sha256:${'b'.repeat(64)}?tag=base-1`, digest: { sha256: 'b'.repeat(64) } },
          { name: 'rootfs', digest: { sha256: facts.components[0]!.digest.slice(7) } },
          { uri: 'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14' },
          { uri: 'pkg:deb/debian/nginx@1:1.22.1-9+deb12u1' },
        ],
      },
      runDetails: {
        builder: { id: 'https://ingot.dev/builder/v1', version: { ingot: '0.1.0', worker: '0.1.0' } },
        metadata: { invocationId: 'web-1/1', startedOn: '2026-11-23T21:18:44.000Z', finishedOn: '2026-11-23T21:20:02.123Z' },
        byproducts: [
          { name: 'sbom', mediaType: 'application/spdx+json', digest: { sha256: sbom!.digest.slice(7) } },
          { name: 'proof', mediaType: mediaTypes.proof, digest: { sha256: proof!.digest.slice(7) } },
        ],
      },
    },
  })
})

test('what is signed comes into the encoding of DSSE with its lengths', () => {
  // The example of DSSE v1, protocol.md.
  expect(preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world')).toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world')
  expect(preAuthEncoding('é', Buffer.from('ü')).toString()).toBe('DSSEv1 2 é 2 ü')
})

test('attesting again, as after a crash, changes nothing', async () => {
  const { store, attestor, image } = await openSigned()
  const before = await store.registry.referrers('debian-12', image.digest)
  await attestor.attest(image, { ...facts, proof: before.find(({ artifactType }) => artifactType === mediaTypes.proof)!.digest })
  expect(await store.registry.referrers('debian-12', image.digest)).toEqual(before)
  expect(before.length).toBe(4)
})

test('an image that has no tag yet can be attested, and stays out of sight', async () => {
  const { store, attestor } = await openSigned()
  const config = (await store.resolve('debian-12')).config
  const hidden = await store.receive('other', 'job-7', (await storeSample(store, [filled(0, 9)], { ...config, job: 'job-7' }, 'other')).bytes)
  await attestor.attest(hidden, facts)
  expect((await store.list()).map(({ name }) => name)).toEqual(['debian-12'])
  await expect(store.resolve('other')).rejects.toMatchObject({ code: 'image-unknown' })
  await store.makeVisible('other', 'job-7', hidden.digest)
  expect((await store.registry.referrers('other', hidden.digest)).length).toBe(3)
})

const readText = async ({ registry }: ImageStore, digest: string): Promise<string> => text(await registry.blobs('debian-12').read(digest))
