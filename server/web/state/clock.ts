import { signal } from '@preact/signals'

/** Now, to the second, in milliseconds since 1970: what reads it is drawn anew each second. */
export const now = signal(Date.now())

/** Lets the clock run while the page is looked at. */
export function startClock(): void {
  setInterval(() => {
    if (document.visibilityState === 'visible') now.value = Date.now()
  }, 1000)
  document.addEventListener('visibilitychange', () => (now.value = Date.now()))
}
