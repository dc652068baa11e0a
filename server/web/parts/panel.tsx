import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

export interface PanelProps {
  /** What it is about, for example a job: another one moves the focus here anew. */
  subject: string
  kicker: string
  title: ComponentChildren
  onClose: () => void
  children: ComponentChildren
}

/** What is known of one thing, beside the list that it is in. Escape closes it and gives the focus back to what opened it. */
export function Panel({ subject, kicker, title, onClose, children }: PanelProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const before = document.activeElement
    heading.current?.focus({ preventScroll: true })
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true })
    }
  }, [subject])
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && !event.defaultPrevented) onClose()
  }
  return (
    <aside class="panel" aria-label={`${kicker} ${subject}`} onKeyDown={onKeyDown}>
      <header>
        <p class="kicker">{kicker}</p>
        <h2 ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <button type="button" class="quiet close" aria-label="Close" onClick={onClose}>
          ×
        </button>
      </header>
      <div class="panel-body">{children}</div>
    </aside>
  )
}
