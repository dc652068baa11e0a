import type { Failure } from '../../api/status.ts'

/** Why something stopped: what ran, how it ended, and what it said last. */
export const FailureView = ({ why, failure, advice }: { why: string; failure?: Failure | undefined; advice?: string | undefined }) => (
  <div class="failure">
    <p class="why">{why}</p>
    {advice === undefined ? null : <p>{advice}</p>}
    {failure?.command === undefined ? null : (
      <p>
        <code>{failure.command}</code>
        {failure.exitCode === undefined ? null : ` ended with ${failure.exitCode}`}
      </p>
    )}
    {failure === undefined || failure.lastLines.length === 0 ? null : (
      <pre class="log short" tabIndex={0} aria-label="Its last lines">
        {failure.lastLines.join('\n')}
      </pre>
    )}
  </div>
)
