import type { ProofRecord } from '../api/proof.ts'
import { describeBoot } from './prove.ts'

/** How an image was proven, in a few words: `boots on BIOS, UEFI with Secure Boot`, `no proof`; `not proven here` of one that came from elsewhere. */
export function renderProof(record: ProofRecord | undefined): string {
  if (record === undefined) return 'not proven here'
  return record.proof === 'none' ? 'no proof' : `boots on ${record.boots.map(describeBoot).join(', ')}`
}
