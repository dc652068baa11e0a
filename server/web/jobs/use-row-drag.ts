import type { RefObject } from 'preact'
import { useRef, useState } from 'preact/hooks'

/** A row that is dragged by its handle: which, and before which place it would go. */
export interface Drag {
  id: string
  before: number
}

export interface RowDragOptions {
  count: number
  rowHeight: number
  /** Called when a row was let go before the place `before` (from 0 to `count`). */
  onDrop: (id: string, before: number) => void
}

/** So near to an edge of the list, in pixels, it scrolls; and so far with each frame. */
const edge = 48
const scrollStep = 14

/** Dragging rows of one height, also to what is out of sight: near an edge the list scrolls. Escape gives up. */
export function useRowDrag(box: RefObject<HTMLElement | null>, { count, rowHeight, onDrop }: RowDragOptions) {
  const [drag, setDrag] = useState<Drag | undefined>(undefined)
  const current = useRef<Drag | undefined>(undefined)
  const change = (next: Drag | undefined): void => setDrag((current.current = next))

  const begin = (id: string, event: PointerEvent): void => {
    if (event.button !== 0) return
    event.preventDefault()
    const element = box.current!
    const handle = event.currentTarget as HTMLElement
    // The row may be scrolled out of sight and go away meanwhile, so that the list hears of the pointer.
    element.setPointerCapture(event.pointerId)
    handle.blur()
    let y = event.clientY
    const place = (): void => {
      const top = element.getBoundingClientRect().top
      const before = Math.max(0, Math.min(count, Math.round((y - top + element.scrollTop) / rowHeight)))
      if (current.current?.before !== before) change({ id, before })
    }
    let frame = requestAnimationFrame(function step() {
      const { top, bottom } = element.getBoundingClientRect()
      if (y < top + edge) element.scrollTop -= scrollStep
      else if (y > bottom - edge) element.scrollTop += scrollStep
      place()
      frame = requestAnimationFrame(step)
    })
    const end = new AbortController()
    const finish = (isDropped: boolean): void => {
      cancelAnimationFrame(frame)
      end.abort()
      const last = current.current
      change(undefined)
      if (isDropped && last !== undefined) onDrop(last.id, last.before)
    }
    const { signal } = end
    element.addEventListener('pointermove', (moved) => (y = moved.clientY), { signal })
    element.addEventListener('pointerup', () => finish(true), { signal })
    element.addEventListener('pointercancel', () => finish(false), { signal })
    document.addEventListener('keydown', (pressed) => pressed.key === 'Escape' && finish(false), { signal })
    place()
  }
  return { drag, begin }
}
