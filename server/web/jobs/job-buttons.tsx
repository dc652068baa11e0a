import { useState } from 'preact/hooks'
import type { JobRow } from '../../api/overview.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Field } from '../parts/field.tsx'
import { machines } from '../state/overview-store.ts'
import { assignJob, cancelJob, moveJob, removeJob, retryJob, setPriority } from './job-actions.ts'

/** What an operator may do to a job as it stands. */
export function JobButtons({ job }: { job: JobRow }) {
  const { id, state } = job
  const [asking, setAsking] = useState<'cancel' | 'remove' | 'assign' | 'priority' | undefined>(undefined)
  const close = (): void => setAsking(undefined)
  const isUnderWay = state === 'selected' || state === 'proving'
  return (
    <div class="buttons" role="group" aria-label={`What may be done to ${id}`}>
      {state === 'failed' || state === 'cancelled' || state === 'waiting' ? (
        <button type="button" class="primary" onClick={() => void retryJob(id)}>
          Retry
        </button>
      ) : null}
      {isUnderWay ? null : (
        <>
          <button type="button" onClick={() => void moveJob(id, { at: 'first' }, 'the first of the list')}>
            Move to top
          </button>
          <button type="button" onClick={() => setAsking('assign')}>
            Assign…
          </button>
        </>
      )}
      <button type="button" onClick={() => setAsking('priority')}>
        Priority…
      </button>
      {state === 'cancelled' ? null : (
        <button type="button" onClick={() => setAsking('cancel')}>
          Cancel…
        </button>
      )}
      <button type="button" onClick={() => setAsking('remove')}>
        Remove…
      </button>
      {asking === 'cancel' ? (
        <ConfirmDialog title={`Cancel ${id}?`} action="Cancel the job" onConfirm={() => cancelJob(id)} onClose={close}>
          <p>{isUnderWay ? `${job.worker} performs it now, and is refused from now on. What it has done so far is lost.` : 'Nobody takes it until it is retried.'}</p>
          <p>It stays on the list.</p>
        </ConfirmDialog>
      ) : null}
      {asking === 'remove' ? (
        <ConfirmDialog title={`Remove ${id}?`} action="Remove the job" onConfirm={() => removeJob(id)} onClose={close}>
          <p>It leaves the list for good.{isUnderWay ? ` ${job.worker} performs it now, and is refused from now on.` : ''}</p>
        </ConfirmDialog>
      ) : null}
      {asking === 'assign' ? <AssignDialog job={job} onClose={close} /> : null}
      {asking === 'priority' ? <PriorityDialog job={job} onClose={close} /> : null}
    </div>
  )
}

function AssignDialog({ job, onClose }: { job: JobRow; onClose: () => void }) {
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const machine = String(new FormData(event.currentTarget as HTMLFormElement).get('machine'))
    if (await assignJob(job.id, machine)) onClose()
  }
  return (
    <Dialog title={`Assign ${job.id}`} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <Field label="Machine" hint="this one takes it before all else, and nobody else does">
          {(ids) => <input {...ids} class="mono" name="machine" required autocomplete="off" list="assignable" defaultValue={job.assignedTo ?? ''} />}
        </Field>
        <datalist id="assignable">
          {machines.all().map(({ id }) => (
            <option key={id} value={id} />
          ))}
        </datalist>
        <footer>
          <button type="button" onClick={onClose}>
            No, go back
          </button>
          <button type="submit" class="primary">
            Assign
          </button>
        </footer>
      </form>
    </Dialog>
  )
}

function PriorityDialog({ job, onClose }: { job: JobRow; onClose: () => void }) {
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const priority = Number(new FormData(event.currentTarget as HTMLFormElement).get('priority'))
    if (await setPriority(job.id, priority)) onClose()
  }
  return (
    <Dialog title={`Priority of ${job.id}`} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <Field label="Priority" hint="from -1000 to 1000; higher goes first">
          {(ids) => <input {...ids} type="number" name="priority" required min={-1000} max={1000} step={1} defaultValue={String(job.priority ?? 0)} />}
        </Field>
        <footer>
          <button type="button" onClick={onClose}>
            No, go back
          </button>
          <button type="submit" class="primary">
            Set
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
