import type { ComponentChildren } from 'preact'
import type { ImageSummary } from '../../api/image-details.ts'
import type { ProofBoot } from '../../api/proof.ts'

const nameOf = ({ firmware, secureBoot }: ProofBoot): string => `${firmware === 'uefi' ? 'UEFI' : 'BIOS'}${secureBoot ? ' + Secure Boot' : ''}`

/** By what a copy of an image has booted. */
export function ProofMark({ of: proof }: { of: ImageSummary['proof'] }) {
  if (proof?.proof === 'booted') return <Verdict good>{proof.boots.map(nameOf).join(', ')}</Verdict>
  return <Verdict>{proof === null ? 'nobody told of one' : 'published without one'}</Verdict>
}

/** Whether this server has signed it. */
export const SignatureMark = ({ of: { problems } }: { of: ImageSummary['signature'] }) =>
  problems.length === 0 ? (
    <Verdict good>signed</Verdict>
  ) : (
    <Verdict>
      <span title={problems.join('; ')}>{problems[0] === 'none is attached' ? 'unsigned' : 'does not fit'}</span>
    </Verdict>
  )

const Verdict = ({ good = false, children }: { good?: boolean; children: ComponentChildren }) => (
  <span class={`verdict ${good ? 'good' : 'none'}`}>
    <i aria-hidden="true">{good ? '✓' : '–'}</i> {children}
  </span>
)
