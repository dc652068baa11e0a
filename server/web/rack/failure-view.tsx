import type { Failure } from '../../api/status.ts'

/** Why something stopped: what ran, how it ended, and what it said last. */
export const FailureView = ({ why, failure, cause }: { why: string; failure?: Failure | undefined; cause?: string | undefined }) => (
  <div class="failure">
    <p class="why">{why}</p>
    {cause === undefined ? null : <p>{withCode(cause)}</p>}
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

/** What stands between backticks is something to type. */
const withCode = (text: string) => text.split('`').map((part, index) => (index % 2 === 0 ? part : <code key={index}>{part}</code>))
