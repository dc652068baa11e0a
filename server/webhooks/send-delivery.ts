import { Webhook as Signer } from 'standardwebhooks'
import type { Delivery } from './delivery-files.ts'
import type { Webhook } from './webhook-config.ts'

const answerLimitMs = 15_000

/**
 * Sends an event as Standard Webhooks 1.0 has it: `webhook-id`, `webhook-timestamp` (seconds, of this try) and `webhook-signature`, an HMAC-SHA256 over the two
 * and the body. Returns why it was not taken, for people, or nothing when the receiver answered with 2xx.
 */
export async function sendDelivery({ url, secret }: Webhook, { id, body }: Delivery, signal: AbortSignal, now: () => Date = () => new Date()): Promise<string | undefined> {
  const at = now()
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'ingot',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Signer(secret).sign(id, at, body),
  }
  try {
    const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal: AbortSignal.any([signal, AbortSignal.timeout(answerLimitMs)]) })
    await answer.body?.cancel()
    return answer.ok ? undefined : `the receiver answered ${answer.status}`
  } catch (error) {
    signal.throwIfAborted()
    const { name, message, cause } = error as Error
    return name === 'TimeoutError' ? `no answer within ${answerLimitMs / 1000} s` : cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code || message : message
  }
}
