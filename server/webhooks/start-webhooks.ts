import type { Logger } from 'pino'
import { Counter, Gauge } from 'prom-client'
import type { EventLog } from '../event-log.ts'
import type { Metrics } from '../metrics/create-metrics.ts'
import { deliverWebhook, type defaultRetry } from './deliver-webhook.ts'
import { openDeliveryFiles } from './delivery-files.ts'
import { sendDelivery } from './send-delivery.ts'
import type { Webhook } from './webhook-config.ts'
import { renderWebhookEvent } from './webhook-event.ts'

export interface WebhooksOptions {
  webhooks: readonly Webhook[]
  events: Pick<EventLog, 'follow'>
  dataDirectory: string
  metrics: Metrics
  log: Logger
  retry?: typeof defaultRetry
}

/** Tells the webhooks what happens to jobs and images, and takes up what an earlier run could not deliver. The address in logs is without its query and credentials. */
export async function startWebhooks({ webhooks, events, dataDirectory, metrics, log, retry }: WebhooksOptions): Promise<{ close(): Promise<void> }> {
  const registers = [metrics.registry]
  const outcomes = new Counter({ name: 'ingot_webhook_attempts_total', help: 'Events sent to webhooks: delivered, failed (and tried again) or dropped', labelNames: ['receiver', 'outcome'] as const, registers })
  const pending = new Gauge({ name: 'ingot_webhook_waiting', help: 'Events on their way to a webhook', labelNames: ['receiver'] as const, registers })

  const deliveries = webhooks.map((webhook) => {
    const { host: receiver, origin, pathname } = new URL(webhook.url)
    const delivery = deliverWebhook(webhook, {
      files: openDeliveryFiles(dataDirectory, webhook.url),
      send: sendDelivery,
      onOutcome: (outcome) => outcomes.inc({ receiver, outcome }),
      log: log.child({ webhook: `${origin}${pathname}` }),
      ...(retry === undefined ? {} : { retry }),
    })
    return { receiver, delivery }
  })
  metrics.readBefore('webhooks', async () => {
    pending.reset()
    for (const { receiver, delivery } of deliveries) pending.inc({ receiver }, delivery.waiting())
  })
  await Promise.all(deliveries.map(({ delivery }) => delivery.resume()))
  const unfollow = events.follow(({ event }) => {
    const rendered = renderWebhookEvent(event)
    if (rendered !== undefined) for (const { delivery } of deliveries) delivery.take(rendered)
  })
  return {
    async close() {
      unfollow()
      await Promise.all(deliveries.map(({ delivery }) => delivery.close()))
    },
  }
}
