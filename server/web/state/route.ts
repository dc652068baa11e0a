import { computed, signal } from '@preact/signals'

/** What the page shows, as its address says after `#/`: a view, and what is looked at in it: `#/jobs/web-1`, `#/images/debian-12/web-1`. */
const path = signal(readPath())
addEventListener('hashchange', () => (path.value = readPath()))

function readPath(): readonly string[] {
  return location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent)
}

export const views = ['rack', 'jobs', 'images'] as const
export type View = (typeof views)[number]

export const view = computed<View>(() => views.find((each) => each === path.value[0]) ?? 'rack')
/** The id of what is looked at, and what of it. */
export const subject = computed(() => path.value[1])
export const detail = computed(() => path.value[2])

/** An address within the console: `hrefOf('jobs', 'web-1')`. */
export const hrefOf = (...parts: string[]): string => `#/${parts.map(encodeURIComponent).join('/')}`
export const goTo = (...parts: string[]): void => void (location.hash = hrefOf(...parts))
