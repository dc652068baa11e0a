import { doneShare, Steps } from '../parts/progress.tsx'
import { StateMark } from '../parts/state-mark.tsx'
import { Until } from '../parts/times.tsx'
import { jobs } from '../state/overview-store.ts'
import { goTo, subject } from '../state/route.ts'
import { mayChange } from '../state/session.ts'
import { count } from '../text.ts'

export interface JobRowProps {
  id: string
  index: number
  /** Where it stands in the list, in pixels. */
  top: number
  isActive: boolean
  isDragged: boolean
  onDrag: (id: string, event: PointerEvent) => void
  onFocus: () => void
}

/** One line of the list. */
export function JobRow({ id, index, top, isActive, isDragged, onDrag, onFocus }: JobRowProps) {
  const job = jobs.of(id).value
  if (job === undefined) return null
  const { state, work, priority = 0, attempt, worker, assignedTo, progress, deadlineAt, notBefore, blocked } = job
  const isLooked = subject.value === id
  return (
    <div
      role="row"
      class={`row ${state} ${isDragged ? 'dragged' : ''}`}
      style={{ transform: `translateY(${top}px)` }}
      aria-rowindex={index + 2}
      aria-selected={isLooked}
      tabIndex={isActive ? 0 : -1}
      data-id={id}
      onFocus={onFocus}
      onClick={() => goTo('jobs', id)}
    >
      <span role="gridcell" class="handle" onClick={(event) => event.stopPropagation()}>
        {mayChange.value ? (
          <span class="grip" title="Drag to another place; with the keyboard Alt and an arrow key" onPointerDown={(event) => onDrag(id, event)}>
            ⠿
          </span>
        ) : null}
      </span>
      <span role="gridcell" class="number">
        {count(index + 1)}
      </span>
      <span role="gridcell" class="job">
        <b class="mono">{id}</b> <span class="muted">{work}</span>
      </span>
      <span role="gridcell">
        <StateMark state={state} />
      </span>
      <span role="gridcell" class="number">
        {priority === 0 ? '' : priority}
      </span>
      <span role="gridcell" class="number">
        {attempt === 0 ? '' : attempt}
      </span>
      <span role="gridcell" class="mono machine" title={assignedTo === undefined ? '' : `assigned to ${assignedTo}`}>
        {state === 'selected' || state === 'proving' ? worker : assignedTo === undefined ? '' : `→ ${assignedTo}`}
      </span>
      <span role="gridcell" class="how-far">
        {progress === undefined ? (
          <span class="muted" title={blocked}>{blocked ?? ''}</span>
        ) : (
          <>
            <Steps of={progress} />
            <small>{Math.round(doneShare(progress) * 100)} %</small>
          </>
        )}
      </span>
      <span role="gridcell" class="number">
        {deadlineAt !== undefined && state === 'selected' ? <Until time={deadlineAt} over="over" /> : notBefore === undefined ? '' : <Until time={notBefore} over="now" />}
      </span>
    </div>
  )
}
