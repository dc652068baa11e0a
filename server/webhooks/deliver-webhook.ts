import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { backoffMs } from '../../appliance/worker/backoff.ts'
import type { Delivery, DeliveryFiles } from './delivery-files.ts'
import type { Webhook } from './webhook-config.ts'
import type { WebhookEvent } from './webhook-event.ts'

/** What is retried: soon at first, at least once an hour, for three days. A receiver that is away so long has to look itself. */
export const defaultRetry = { firstMs: 5000, capMs: 3_600_000, giveUpMs: 3 * 86_400_000 }
/** So many events wait for one receiver at most; the oldest make way. */
const mostWaiting = 10_000

export type Outcome = 'delivered' | 'failed' | 'dropped'

export interface DeliverWebhookOptions {
  files: DeliveryFiles
  send: (webhook: Webhook, delivery: Delivery, signal: AbortSignal) => Promise<string | undefined>
  onOutcome?: (outcome: Outcome) => void
  retry?: typeof defaultRetry
  log: Logger
}

export interface WebhookDelivery {
  /** Puts an event down and sends it, at once or after those before it. */
  take(event: WebhookEvent): void
  waiting(): number
  /** Takes up what an earlier run left. */
  resume(): Promise<void>
  close(): Promise<void>
}

type Waiting = Delivery & { failures: number; dueAtMs: number }

/** Delivers events to one webhook, one at a time: each at least once, in their order as long as all goes well. */
export function deliverWebhook(webhook: Webhook, { files, send, onOutcome = () => {}, retry = defaultRetry, log }: DeliverWebhookOptions): WebhookDelivery {
  const closed = new AbortController()
  const waiting = new Map<string, Waiting>()
  // Puts down and takes away in this order, so that nothing is taken away before it is there.
  let written: Promise<unknown> = Promise.resolve()
  const write = (act: () => Promise<void>): void => {
    written = written.then(act).catch((error: unknown) => log.error({ err: error }, 'the events of a webhook cannot be put down'))
  }
  let timer: NodeJS.Timeout | undefined
  let sending: Promise<void> | undefined

  const finish = (id: string, outcome: Outcome): void => {
    waiting.delete(id)
    onOutcome(outcome)
    write(() => files.remove(id))
  }
  const drop = ({ id, body }: Waiting, why: string): void => {
    log.error({ id, why, event: (JSON.parse(body) as WebhookEvent).type }, 'an event is not sent to a webhook any more')
    finish(id, 'dropped')
  }

  const attempt = async (each: Waiting): Promise<void> => {
    const why = await send(webhook, each, closed.signal)
    if (why === undefined) {
      if (each.failures > 0) log.info({ id: each.id, failures: each.failures }, 'an event reached its webhook after all')
      return finish(each.id, 'delivered')
    }
    onOutcome('failed')
    each.failures++
    if (Date.now() - Date.parse(each.createdAt) > retry.giveUpMs) return drop(each, why)
    const waitMs = backoffMs(each.failures, retry)
    each.dueAtMs = Date.now() + waitMs
    log.warn({ id: each.id, why, failures: each.failures, waitMs: Math.round(waitMs) }, 'a webhook did not take an event; it is tried again')
  }

  const next = (): Waiting | undefined => [...waiting.values()].reduce<Waiting | undefined>((first, each) => (first === undefined || each.dueAtMs < first.dueAtMs ? each : first), undefined)
  const work = async (): Promise<void> => {
    for (let first = next(); first !== undefined && !closed.signal.aborted; first = next()) {
      const leftMs = first.dueAtMs - Date.now()
      if (leftMs > 0) {
        timer = setTimeout(start, leftMs)
        return
      }
      await attempt(first)
    }
  }
  const start = (): void => {
    clearTimeout(timer)
    sending ??= work()
      .catch((error: unknown) => {
        if (!closed.signal.aborted) throw error
      })
      .finally(() => (sending = undefined))
  }
  const wait = (delivery: Delivery): void => {
    waiting.set(delivery.id, { ...delivery, failures: 0, dueAtMs: Date.parse(delivery.createdAt) })
    const [oldest] = waiting.values()
    if (waiting.size > mostWaiting && oldest !== undefined) drop(oldest, `more than ${mostWaiting} events wait for this receiver`)
    // Later, so that all that happens at once is in order.
    setImmediate(start)
  }

  return {
    take(event) {
      if (!webhook.events.has(event.type)) return
      const delivery = { id: `evt_${randomUUID()}`, createdAt: event.timestamp, body: JSON.stringify(event) }
      write(() => files.add(delivery))
      wait(delivery)
    },
    waiting: () => waiting.size,
    async resume() {
      for (const delivery of await files.list()) wait(delivery)
    },
    async close() {
      closed.abort(new Error('the server stops'))
      clearTimeout(timer)
      await sending
      await written
    },
  }
}
