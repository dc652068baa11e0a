import { attestationTypes } from './attestation-types.ts'
import { bad, good, problemOf, type Finding } from './finding.ts'
import type { Attachments, ReadAttachment } from './read-attachments.ts'
import type { PublicKey } from './signing-key.ts'
import { parseSimpleSigning } from './simple-signing.ts'

/** Whether this key has signed the image; one good signature suffices, as it does for cosign. */
export async function checkSignature(attachments: Attachments, digest: string, key: PublicKey): Promise<Finding> {
  const { found, problems } = attachments
  const signatures = found.flatMap(({ layers }) => layers).filter(({ mediaType }) => mediaType === attestationTypes.signaturePayload)
  if (signatures.length === 0) return bad('signature', 'none is attached', ...problems)
  const faults: string[] = []
  for (const signature of signatures) {
    const fault = await faultOf(signature, attachments, digest, key).catch(problemOf)
    if (fault === undefined) return good('signature', `by the key ${key.fingerprint}`)
    faults.push(fault)
  }
  return bad('signature', ...faults)
}

async function faultOf(signature: ReadAttachment['layers'][number], { read }: Attachments, digest: string, key: PublicKey): Promise<string | undefined> {
  const payload = await read(signature)
  const bytes = Buffer.from(signature.annotations?.[attestationTypes.signatureAnnotation] ?? '', 'base64')
  if (!key.verifies(bytes, payload)) return `it does not fit the key ${key.fingerprint}: made with another, or changed afterwards`
  const signed = parseSimpleSigning(payload)
  return signed === digest ? undefined : `it is that of another image, ${signed}`
}
