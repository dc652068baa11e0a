import { signal } from '@preact/signals'
import { Refusal } from './ask.ts'

/** Something that was done or refused, told for some seconds. */
export interface Notice {
  key: number
  text: string
  tone: 'good' | 'bad'
}

export const notices = signal<readonly Notice[]>([])
const shownMs = { good: 5_000, bad: 15_000 }
let last = 0

export function tell(text: string, tone: Notice['tone'] = 'good'): void {
  const key = ++last
  notices.value = [...notices.value, { key, text, tone }].slice(-4)
  setTimeout(() => dismiss(key), shownMs[tone])
}

export const dismiss = (key: number): void => void (notices.value = notices.value.filter((each) => each.key !== key))

/** What a refusal says, for people; a defect is thrown on. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Refusal)) throw error
  return [error.message, ...error.problems].join('; ')
}

/** Does something, and tells what came of it. Returns whether it was done. */
export async function attempt(what: string, action: () => Promise<unknown>): Promise<boolean> {
  try {
    await action()
    tell(what)
    return true
  } catch (error) {
    tell(messageOf(error), 'bad')
    return false
  }
}
