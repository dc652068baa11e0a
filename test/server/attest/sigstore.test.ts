import { createPublicKey } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { toDSSEBundle, toMessageSignatureBundle, type Bundle } from '@sigstore/bundle'
import { toSignedEntity, Verifier } from '@sigstore/verify'
import { expect, test } from 'vitest'
import { attestationTypes } from '../../../server/attest/attestation-types.ts'
import { openSigningKey } from '../../../server/attest/signing-key.ts'
import { digestOf } from '../../../server/image-store/digest.ts'
import { attached, openSigned, temporaryFolder } from './signed-image.ts'

/** The verifier of the sigstore project itself, which here trusts one key and asks for no log and no time stamp. */
const sigstore = (pem: string) => {
  const key = { publicKey: createPublicKey(pem), validFor: () => true }
  const verifier = new Verifier({ certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [], publicKey: () => key }, { tlogThreshold: 0, ctlogThreshold: 0, tsaThreshold: 0 })
  return { verify: (bundle: Bundle, artifact?: Buffer) => verifier.verify(toSignedEntity(bundle, artifact)) }
}

test('sigstore verifies the signature of an image and both of its statements, and refuses them by another key', async () => {
  const { store, key, image } = await openSigned()
  const read = async (digest: string) => text(await store.registry.blobs('debian-12').read(digest))
  const [ours, other] = [sigstore(key.publicKey.pem), sigstore((await openSigningKey(await temporaryFolder())).publicKey.pem)]

  const [signed] = (await attached(store.registry, image, attestationTypes.signatureArtifact)).json.layers
  const payload = Buffer.from(await read(signed.digest))
  const signature = Buffer.from(signed.annotations['dev.cosignproject.cosign/signature'], 'base64')
  const bundle = toMessageSignatureBundle({ digest: Buffer.from(digestOf(payload).slice(7), 'hex'), signature, keyHint: 'ingot' })
  expect(() => ours.verify(bundle, payload)).not.toThrow()
  expect(() => other.verify(bundle, payload)).toThrow('signature verification failed')

  const { layers } = (await attached(store.registry, image, attestationTypes.attestationArtifact)).json
  expect(layers.length).toBe(2)
  for (const { digest } of layers) {
    const envelope = JSON.parse(await read(digest))
    const statement = toDSSEBundle({ artifact: Buffer.from(envelope.payload, 'base64'), artifactType: envelope.payloadType, signature: Buffer.from(envelope.signatures[0].sig, 'base64'), keyHint: 'ingot' })
    expect(() => ours.verify(statement)).not.toThrow()
    expect(() => other.verify(statement)).toThrow('signature verification failed')
  }
})
