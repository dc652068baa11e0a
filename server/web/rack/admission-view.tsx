import type { MachineCard } from '../../api/overview.ts'
import { ask } from '../state/ask.ts'
import { attempt } from '../state/notices.ts'
import { mayChange } from '../state/session.ts'

const decide = (id: string, action: 'admit' | 'refuse', told: string) => attempt(`${id} ${told}`, () => ask(`/machines/${encodeURIComponent(id)}/${action}`, { method: 'POST' }))

/** What a person decides of a machine that nobody has admitted yet, or that was refused. */
export function AdmissionView({ card: { id, state } }: { card: MachineCard }) {
  if (state !== 'asking' && state !== 'refused') return null
  return (
    <section class="admission">
      <p>
        {state === 'asking'
          ? 'This machine is not known. Until it is admitted it gets no job, no credential and no secret.'
          : 'This machine was refused: it gets no job, no credential and no secret.'}
      </p>
      {mayChange.value ? (
        <div class="buttons">
          <button type="button" class="primary" onClick={() => void decide(id, 'admit', 'is admitted; its next boot leads to the worker')}>
            Admit
          </button>
          {state === 'asking' ? (
            <button type="button" onClick={() => void decide(id, 'refuse', 'is refused')}>
              Refuse
            </button>
          ) : null}
        </div>
      ) : (
        <p class="muted">An operator decides that.</p>
      )}
    </section>
  )
}
