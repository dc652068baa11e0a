import type { MachineEvent } from '../api/event.ts'

/** What webhooks may be told of. */
export const webhookEventTypes = ['job.claimed', 'job.performed', 'job.failed', 'job.lost', 'image.received', 'image.proven'] as const
export type WebhookEventType = (typeof webhookEventTypes)[number]

/** The body of a request, for example `{ "type": "job.failed", "timestamp": "…", "data": { "machine": "52-54-…", "job": "web-1", "failure": { … } } }`. */
export interface WebhookEvent {
  type: WebhookEventType
  /** When it happened. */
  timestamp: string
  data: { machine: string; job: string } & Record<string, unknown>
}

const typeOf = (event: MachineEvent): WebhookEventType | undefined => {
  switch (event.hop) {
    case 'claim':
      return 'job.claimed'
    case 'performed':
    case 'failed':
    case 'lost':
      return `job.${event.hop}`
    case 'image':
      return 'image.received'
    case 'proof':
      return event.event.kind === 'proven' ? 'image.proven' : undefined
    default:
      return undefined
  }
}

/** What webhooks are told of an event; nothing of most. */
export function renderWebhookEvent(event: MachineEvent): WebhookEvent | undefined {
  const type = typeOf(event)
  if (type === undefined) return undefined
  const { time: timestamp, hop: _, ...data } = event
  return { type, timestamp, data: data as WebhookEvent['data'] }
}
