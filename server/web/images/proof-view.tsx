import { useState } from 'preact/hooks'
import type { ImageDetails } from '../../api/image-details.ts'
import type { BootResult } from '../../api/proof.ts'
import { ask } from '../state/ask.ts'
import { messageOf } from '../state/notices.ts'
import { dateTime } from '../text.ts'
import { ProofMark, SignatureMark } from './proof-mark.tsx'

/** How an image was proven, and what its copies said on their consoles. */
export function ProofView({ of: { name, proof, signature } }: { of: ImageDetails }) {
  return (
    <section>
      <h3>Proof</h3>
      <ul class="lines">
        <li>
          <span class="verdict good">
            <i aria-hidden="true">✓</i> every block was read back before it was published
          </span>
        </li>
        {proof?.proof === 'booted' ? (
          proof.boots.map((boot) => <Boot key={`${boot.firmware} ${boot.secureBoot}`} name={name} boot={boot} />)
        ) : (
          <li>
            <ProofMark of={proof} />
          </li>
        )}
        <li>
          <SignatureMark of={signature} /> <span class="muted">{signature.tells || signature.problems.join('; ')}</span>
        </li>
      </ul>
      {proof?.proof === 'booted' ? (
        <p class="muted">
          {dateTime(proof.provenAt)}, {[...Object.entries(proof.programs).map((each) => each.join(' ')), proof.accelerator].join(', ')}
        </p>
      ) : null}
    </section>
  )
}

function Boot({ name, boot }: { name: string; boot: BootResult }) {
  const [text, setText] = useState<string | undefined>(undefined)
  const show = (): void => {
    ask(`/v2/${name}/blobs/${boot.console}`)
      .then(async (answer) => setText(await answer.text()))
      .catch((error: unknown) => setText(messageOf(error)))
  }
  return (
    <li>
      <p>
        <ProofMark of={{ version: 1, image: name, digest: '', proof: 'booted', boots: [boot], programs: {}, accelerator: '', provenAt: '' }} />{' '}
        <span class="muted">
          login prompt after {boot.loginSeconds} s, all checks after {boot.seconds} s
        </span>
      </p>
      {boot.checks.map(({ check, seconds }) => (
        <p key={check} class="muted check">
          {check}, {seconds} s
        </p>
      ))}
      {text === undefined ? (
        <button type="button" class="quiet small" onClick={show}>
          What it said on its console
        </button>
      ) : (
        <pre class="log" tabIndex={0} aria-label={`Console of the copy started by ${boot.firmware}`}>
          {text}
        </pre>
      )}
    </li>
  )
}
