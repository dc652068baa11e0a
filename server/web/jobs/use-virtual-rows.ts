import { elementScroll, observeElementOffset, observeElementRect, Virtualizer, type VirtualItem } from '@tanstack/virtual-core'
import type { RefObject } from 'preact'
import { useLayoutEffect, useReducer, useState } from 'preact/hooks'

export interface VirtualRows {
  items: readonly VirtualItem[]
  totalHeight: number
  scrollTo(index: number): void
}

/** Which of `count` rows of one height, in pixels, are to be drawn now, for a list of any length that scrolls in `box`. */
export function useVirtualRows(box: RefObject<HTMLElement | null>, { count, rowHeight }: { count: number; rowHeight: number }): VirtualRows {
  const [, redraw] = useReducer((times: number) => times + 1, 0)
  const [virtualizer] = useState(
    () =>
      new Virtualizer<HTMLElement, HTMLElement>({
        ...{ count, getScrollElement: () => box.current, estimateSize: () => rowHeight, overscan: 10 },
        ...{ observeElementRect, observeElementOffset, scrollToFn: elementScroll },
        onChange: () => redraw(undefined as never),
      }),
  )
  virtualizer.setOptions({ ...virtualizer.options, count, estimateSize: () => rowHeight })
  useLayoutEffect(() => virtualizer._didMount(), [])
  useLayoutEffect(() => virtualizer._willUpdate())
  return {
    items: virtualizer.getVirtualItems(),
    totalHeight: virtualizer.getTotalSize(),
    scrollTo: (index) => virtualizer.scrollToIndex(index),
  }
}
