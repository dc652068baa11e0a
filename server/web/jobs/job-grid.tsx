import { useEffect, useRef, useState } from 'preact/hooks'
import { goTo } from '../state/route.ts'
import { mayChange } from '../state/session.ts'
import { count } from '../text.ts'
import { moveBefore, moveJob } from './job-actions.ts'
import { JobRow } from './job-row.tsx'
import { shownJobs } from './shown-jobs.ts'
import { useRowDrag } from './use-row-drag.ts'
import { useVirtualRows } from './use-virtual-rows.ts'

/** Height of a row in pixels, as in `jobs.css`. */
const rowHeight = 36
const page = 15

const columns = ['', 'No.', 'Job', 'State', 'Priority', 'Attempt', 'Machine', 'Progress', 'Time left'] as const

/** A moved job is at its new place within this time, in milliseconds; taken out and put in again its row would lose the focus. */
const movingMs = 5000

/** The list as a grid of which only what is in sight is drawn. Arrow keys go through it, with Alt they move the job. */
export function JobGrid() {
  const box = useRef<HTMLDivElement>(null)
  const ids = shownJobs.value
  const rows = useVirtualRows(box, { count: ids.length, rowHeight })
  const [active, setActive] = useState<string | undefined>(undefined)
  /** The job whose row is to have the focus as soon as it is drawn. */
  const mustFocus = useRef<string | undefined>(undefined)
  const movedAt = useRef(-Infinity)
  const { drag, begin } = useRowDrag(box, { count: ids.length, rowHeight, onDrop: (id, before) => void moveBefore(id, ids, before) })
  const activeId = active !== undefined && ids.includes(active) ? active : ids[0]

  const activate = (index: number): void => {
    const id = ids[Math.max(0, Math.min(ids.length - 1, index))]
    if (id === undefined) return
    mustFocus.current = id
    setActive(id)
    rows.scrollTo(ids.indexOf(id))
  }
  useEffect(() => {
    const isLost = document.activeElement === document.body && performance.now() - movedAt.current < movingMs
    const wanted = mustFocus.current ?? (isLost ? activeId : undefined)
    if (wanted === undefined) return
    const row = box.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(wanted)}"]`)
    // It is drawn with the next scroll when it was out of sight.
    if (!row) return
    mustFocus.current = undefined
    row.focus({ preventScroll: true })
  })

  const move = (id: string, to: 'up' | 'down' | 'first' | 'last'): void => {
    const at = ids.indexOf(id)
    movedAt.current = performance.now()
    if (to === 'first' || to === 'last') void moveJob(id, { at: to }, `the ${to} of the list`)
    else if (to === 'up' && at > 0) void moveBefore(id, ids, at - 1)
    else if (to === 'down' && at < ids.length - 1) void moveBefore(id, ids, at + 2)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (activeId === undefined || !(event.target as HTMLElement).matches('[role=row]')) return
    const at = ids.indexOf(activeId)
    const moves: Record<string, () => void> = { ArrowUp: () => move(activeId, 'up'), ArrowDown: () => move(activeId, 'down'), Home: () => move(activeId, 'first'), End: () => move(activeId, 'last') }
    const goes: Record<string, () => void> = {
      ArrowUp: () => activate(at - 1),
      ArrowDown: () => activate(at + 1),
      PageUp: () => activate(at - page),
      PageDown: () => activate(at + page),
      Home: () => activate(0),
      End: () => activate(ids.length - 1),
      Enter: () => goTo('jobs', activeId),
    }
    const action = event.altKey ? (mayChange.value ? moves[event.key] : undefined) : goes[event.key]
    if (action === undefined) return
    event.preventDefault()
    action()
  }

  return (
    <>
      <p id="grid-help" class="sr">
        Arrow keys go through the list, Enter shows a job. {mayChange.value ? 'Alt with an arrow key moves a job up or down, Alt with Home or End to the first or last place.' : ''}
      </p>
      <div class="grid" role="grid" aria-label={`${count(ids.length)} jobs`} aria-rowcount={ids.length + 1} aria-colcount={columns.length} aria-describedby="grid-help" onKeyDown={onKeyDown}>
        <div role="rowgroup">
          <div role="row" class="row heads" aria-rowindex={1}>
            {columns.map((name, index) => (
              <span key={index} role="columnheader" aria-colindex={index + 1}>
                {name === '' ? <span class="sr">Handle</span> : name}
              </span>
            ))}
          </div>
        </div>
        <div ref={box} class="rows" role="rowgroup">
          {ids.length === 0 ? <NothingFits /> : null}
          <div class="all" role="presentation" style={{ height: `${rows.totalHeight}px` }}>
            {rows.items.map(({ index, start }) => {
              const id = ids[index]
              return id === undefined ? null : (
                <JobRow key={id} id={id} index={index} top={start} isActive={id === activeId} isDragged={drag?.id === id} onDrag={begin} onFocus={() => setActive(id)} />
              )
            })}
            {drag === undefined ? null : <div class="drop" aria-hidden="true" style={{ transform: `translateY(${drag.before * rowHeight}px)` }} />}
          </div>
        </div>
      </div>
    </>
  )
}

const NothingFits = () => (
  <div role="row" class="nothing">
    <span role="gridcell">No job of the list fits.</span>
  </div>
)
