import type { Refusal } from '../state/ask.ts'

/** Why something was refused. */
export const RefusalView = ({ of: refusal }: { of: Refusal | undefined }) => (
  <div role="alert">
    {refusal === undefined ? null : (
      <div class="failure">
        <p class="why">{refusal.message}</p>
        {refusal.problems.map((problem) => (
          <p key={problem}>{problem}</p>
        ))}
      </div>
    )}
  </div>
)
