/** An ingot, seen from one end. */
export const Mark = () => (
  <svg viewBox="0 0 32 20" width="26" height="16" aria-hidden="true" focusable="false">
    <path d="M8.5 2h15L30 18H2z" class="mark-body" />
    <path d="M8.5 2h15l-2.6 4.6h-9.8z" class="mark-top" />
  </svg>
)
