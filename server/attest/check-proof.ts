import { mediaTypes } from '../api/media-types.ts'
import { proofRecordSchema, type ProofRecord } from '../api/proof.ts'
import { IngotError } from '../errors.ts'
import { parseAs } from '../image-store/parse-as.ts'
import { bad, good, problemOf, type Finding } from './finding.ts'
import type { Attachments, ReadAttachment } from './read-attachments.ts'

/** Whether the image has shown that it boots, or says that nobody asked for that. `isVouchedFor` tells whether something signed names a record. */
export async function checkProof(attachments: Attachments, digest: string, isVouchedFor: (record: string) => boolean): Promise<Finding> {
  const { found, problems } = attachments
  const records = found.filter(({ artifactType }) => artifactType === mediaTypes.proof)
  if (records.length === 0) return bad('proof', 'no record of one is attached', ...problems)
  const vouched = records.findLast((record) => isVouchedFor(record.digest))
  if (vouched === undefined) return bad('proof', `the record ${records.at(-1)!.digest} is not named in a signed provenance: anyone may have attached it`)
  try {
    const record = await readRecord(vouched, attachments)
    return record.digest === digest ? good('proof', renderProof(record)) : bad('proof', `the record is about another image, ${record.digest}`)
  } catch (error) {
    return bad('proof', problemOf(error))
  }
}

/** The record, all that belongs to it being read back. */
async function readRecord({ digest, layers }: ReadAttachment, { read }: Attachments): Promise<ProofRecord> {
  let record: ProofRecord | undefined
  for (const layer of layers) {
    const bytes = await read(layer)
    if (layer.mediaType === mediaTypes.proof) record = parseAs(proofRecordSchema, bytes, 'record')
  }
  if (record === undefined) throw new IngotError('image-invalid', `attachment ${digest}: expected a layer of the type ${mediaTypes.proof}, got none`)
  return record
}

/** For example `booted by bios (login after 25.7 s), uefi with Secure Boot (login after 26.6 s), checks passed: 2`. */
export function renderProof(record: ProofRecord): string {
  if (record.proof === 'none') return 'none: the recipe asks for no proof, the image was published as it came'
  const boots = record.boots.map(({ firmware, secureBoot, loginSeconds }) => {
    const machine = secureBoot ? `${firmware} with Secure Boot` : firmware
    return `${machine} (login after ${loginSeconds.toFixed(1)} s)`
  })
  const checks = record.boots.reduce((sum, boot) => sum + boot.checks.length, 0)
  return `booted by ${boots.join(', ')}${checks === 0 ? '' : `, checks passed: ${checks}`}`
}
