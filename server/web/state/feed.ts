import { signal } from '@preact/signals'
import { createParser } from 'eventsource-parser'
import type { OverviewChange, OverviewSnapshot } from '../../api/overview.ts'
import { ask, Refusal } from './ask.ts'
import { applyChange, applySnapshot } from './overview-store.ts'

/** Whether what is shown is what is. */
export const connection = signal<'connecting' | 'live' | 'lost'>('connecting')

/** Waits between attempts, in milliseconds, doubled up to the most. */
const [firstWaitMs, mostWaitMs] = [500, 10_000]
/** The server says something every 15 s, and if it is only that it is there. */
const silentMs = 40_000

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })

/** Follows the server until the returned function is called or nobody is signed in any more; a connection that breaks is taken up again where it ended. */
export function startFeed(): () => void {
  const stop = new AbortController()
  void follow(stop.signal)
  return () => stop.abort()
}

async function follow(stop: AbortSignal): Promise<void> {
  let lastId: string | undefined
  let waitMs = firstWaitMs
  while (!stop.aborted) {
    try {
      await readOnce({ ...(lastId === undefined ? {} : { after: lastId }), stop }, (id) => {
        lastId = id
        waitMs = firstWaitMs
        connection.value = 'live'
      })
    } catch (error) {
      if (stop.aborted || (error instanceof Refusal && error.status === 401)) return
    }
    if (stop.aborted) return
    connection.value = 'lost'
    await pause(waitMs, stop)
    waitMs = Math.min(waitMs * 2, mostWaitMs)
  }
}

async function readOnce({ after, stop }: { after?: string; stop: AbortSignal }, onNews: (id: string) => void): Promise<void> {
  const silent = new AbortController()
  let timer = setTimeout(() => silent.abort(), silentMs)
  try {
    const signal = AbortSignal.any([stop, silent.signal])
    const { body } = await ask('/overview/events', { signal, headers: after === undefined ? {} : { 'last-event-id': after } })
    const parser = createParser({
      onEvent({ id, event, data }) {
        if (event === 'snapshot') applySnapshot(JSON.parse(data) as OverviewSnapshot)
        else applyChange(JSON.parse(data) as OverviewChange)
        onNews(id ?? '')
      },
      onComment: () => (connection.value = 'live'),
    })
    const reader = body!.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      clearTimeout(timer)
      timer = setTimeout(() => silent.abort(), silentMs)
      parser.feed(value)
    }
  } finally {
    clearTimeout(timer)
  }
}
