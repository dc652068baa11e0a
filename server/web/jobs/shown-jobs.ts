import { computed, signal } from '@preact/signals'
import type { ListedState } from '../../api/job.ts'
import { jobOrder, jobs } from '../state/overview-store.ts'

export const states: readonly ListedState[] = ['selected', 'proving', 'available', 'waiting', 'failed', 'cancelled']

/** What of the list is shown: of one state, and with these words in it. */
export const shownState = signal<ListedState | 'all'>('all')
export const words = signal('')

export const tally = computed(() => {
  const found = new Map<ListedState, number>(states.map((state) => [state, 0]))
  for (const { state } of jobs.all()) found.set(state, found.get(state)! + 1)
  return found
})

/** The ids that are shown, in order. */
export const shownJobs = computed((): readonly string[] => {
  const state = shownState.value
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean)
  if (state === 'all' && wanted.length === 0) return jobOrder.value
  jobs.version.value
  return jobOrder.value.filter((id) => {
    const job = jobs.of(id).peek()
    if (job === undefined || (state !== 'all' && job.state !== state)) return false
    const text = `${job.id} ${job.work} ${job.worker ?? ''} ${job.assignedTo ?? ''}`.toLowerCase()
    return wanted.every((word) => text.includes(word))
  })
})
