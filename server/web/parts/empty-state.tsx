import type { ComponentChildren } from 'preact'

/** What stands where there is nothing yet: what that means, and the next step. */
export const EmptyState = ({ title, children }: { title: string; children: ComponentChildren }) => (
  <section class="empty-state">
    <h2>{title}</h2>
    {children}
  </section>
)
