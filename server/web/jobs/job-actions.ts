import type { Place } from '../../api/job.ts'
import { ask } from '../state/ask.ts'
import { attempt } from '../state/notices.ts'

const pathOf = (id: string, action?: string): string => `/jobs/${encodeURIComponent(id)}${action === undefined ? '' : `/${action}`}`

/* What may be done to a job; each tells what came of it, and whether it was done. */

export const moveJob = (id: string, place: Place, where: string) => attempt(`${id} is ${where}`, () => ask(pathOf(id, 'move'), { method: 'POST', body: place }))
export const retryJob = (id: string) => attempt(`${id} may be taken again`, () => ask(pathOf(id, 'retry'), { method: 'POST' }))
export const cancelJob = (id: string) => attempt(`${id} is cancelled; whoever held it is refused from now on`, () => ask(pathOf(id, 'cancel'), { method: 'POST' }))
export const removeJob = (id: string) => attempt(`${id} is off the list`, () => ask(pathOf(id), { method: 'DELETE' }))
export const assignJob = (id: string, machine: string) => attempt(`${id} goes to ${machine}`, () => ask(pathOf(id, 'assign'), { method: 'POST', body: { machine } }))
export const setPriority = (id: string, priority: number) => attempt(`${id} has priority ${priority}`, () => ask(pathOf(id), { method: 'PATCH', body: { priority } }))

/** Puts a job where it stands before another, or at an end of the list. */
export function moveBefore(id: string, shown: readonly string[], before: number): Promise<boolean> | undefined {
  const others = shown.filter((each) => each !== id)
  const from = shown.indexOf(id)
  const to = before > from ? before - 1 : before
  if (to === from) return undefined
  const next = others[to]
  const previous = others[to - 1]
  if (next !== undefined) return moveJob(id, { before: next }, `before ${next}`)
  return previous === undefined ? undefined : moveJob(id, { after: previous }, `after ${previous}`)
}
