import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Type, type Static } from 'typebox'
import type { Fault } from '../../images/fault.ts'
import { IngotError } from '../errors.ts'
import { webhookEventTypes } from './webhook-event.ts'

/** One entry of `webhooks:` in `ingot.yaml`. */
export const webhookSchema = Type.Object(
  {
    /** Where events are sent by POST. */
    url: Type.String({ format: 'uri', pattern: '^https?://' }),
    /** File that holds the secret by which they are signed, `whsec_` and 24 to 64 bytes in base64, and nothing else. Taken relative to the configuration. */
    secretFile: Type.String({ minLength: 1 }),
    /** Default all. */
    events: Type.Optional(Type.Array(Type.Enum([...webhookEventTypes]), { minItems: 1, uniqueItems: true })),
  },
  { additionalProperties: false },
)
export type WebhookConfig = Static<typeof webhookSchema>

/** A webhook with its secret. */
export interface Webhook {
  url: string
  secret: string
  events: ReadonlySet<string>
}

export const faultsOfWebhooks = (webhooks: readonly WebhookConfig[], folder: string): Fault[] =>
  webhooks.flatMap(({ secretFile }, index) =>
    existsSync(resolve(folder, secretFile)) ? [] : [{ path: ['webhooks', index, 'secretFile'], expected: 'a file', got: `${resolve(folder, secretFile)} does not exist` }],
  )

export const resolveWebhooks = (webhooks: readonly WebhookConfig[], folder: string): WebhookConfig[] =>
  webhooks.map((each) => ({ ...each, secretFile: resolve(folder, each.secretFile) }))

/** Reads the secrets. Throws `IngotError` 'config-invalid' for one that cannot be read or is none; what was got is not shown. */
export const readWebhooks = (webhooks: readonly WebhookConfig[]): Promise<Webhook[]> =>
  Promise.all(webhooks.map(async ({ url, secretFile, events = webhookEventTypes }) => ({ url, secret: await readSecret(secretFile), events: new Set(events) })))

async function readSecret(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new IngotError('config-invalid', `webhooks: the secret cannot be read: ${error.message}`, { cause: error })
  })
  const secret = text.trim()
  const bytes = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1]
  const length = bytes === undefined ? 0 : Buffer.from(bytes, 'base64').length
  if (length < 24 || length > 64) throw new IngotError('config-invalid', `webhooks: ${path}: expected whsec_ and 24 to 64 bytes in base64, as \`echo whsec_$(openssl rand -base64 32)\` makes them`)
  return secret
}
