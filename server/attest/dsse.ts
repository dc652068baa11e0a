import { Type } from 'typebox'
import { parseAs } from '../image-store/parse-as.ts'
import type { PublicKey, SigningKey } from './signing-key.ts'

/** An envelope (DSSE v1, envelope.md): `{ "payloadType": "application/vnd.in-toto+json", "payload": "eyJ…", "signatures": [{ "sig": "…" }] }`. */
const envelopeSchema = Type.Object({
  payloadType: Type.String(),
  payload: Type.String(),
  signatures: Type.Array(Type.Object({ sig: Type.String() }), { minItems: 1 }),
})

/** What is signed: type and payload, each with its length before it (DSSE v1, protocol.md, "PAE"). */
export function preAuthEncoding(type: string, payload: Uint8Array): Buffer {
  const typeBytes = Buffer.from(type)
  return Buffer.concat([Buffer.from(`DSSEv1 ${typeBytes.length} `), typeBytes, Buffer.from(` ${payload.length} `), payload])
}

export function signEnvelope(payloadType: string, payload: Uint8Array, key: SigningKey): Buffer {
  const sig = key.sign(preAuthEncoding(payloadType, payload)).toString('base64')
  return Buffer.from(JSON.stringify({ payloadType, payload: Buffer.from(payload).toString('base64'), signatures: [{ keyid: '', sig }] }))
}

/** The payload, if this key has signed it as one of that type; `undefined` if not. Throws `IngotError` 'image-invalid' when it is no envelope. */
export function openEnvelope(bytes: Uint8Array, payloadType: string, key: PublicKey): Buffer | undefined {
  const envelope = parseAs(envelopeSchema, bytes, 'envelope')
  const payload = Buffer.from(envelope.payload, 'base64')
  const signed = preAuthEncoding(payloadType, payload)
  const isSigned = envelope.payloadType === payloadType && envelope.signatures.some(({ sig }) => key.verifies(Buffer.from(sig, 'base64'), signed))
  return isSigned ? payload : undefined
}
