/** A refusal of the server: problem details (RFC 9457), in words for the one who asked. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly problems: readonly string[]

  constructor(status: number, message: string, problems: readonly string[] = []) {
    super(message)
    this.status = status
    this.problems = problems
  }
}

export interface AskOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Sent as JSON. */
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
}

let onSignedOut = (): void => {}
/** Called whenever the server says that nobody is signed in. */
export const whenSignedOut = (listener: () => void): void => void (onSignedOut = listener)

/** Asks the server that this page came from. Throws `Refusal` for what it refuses, and when it cannot be reached (status 0). */
export async function ask(path: string, { method = 'GET', body, headers = {}, signal }: AskOptions = {}): Promise<Response> {
  const answer = await fetch(path, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
    cache: method === 'GET' ? 'default' : 'no-store',
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error
    throw new Refusal(0, 'the server cannot be reached')
  })
  if (answer.ok) return answer
  if (answer.status === 401) onSignedOut()
  const told = (await answer.json().catch(() => ({}))) as { title?: string; problems?: string[] }
  throw new Refusal(answer.status, told.title ?? `the server answered ${answer.status}`, told.problems)
}

export const askJson = async <Answer>(path: string, options?: AskOptions): Promise<Answer> => (await (await ask(path, options)).json()) as Answer
