/** A server that answered no, with what it said: asking the same again does not help. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly status: number
  /** What a registry calls it (OCI distribution-spec, "Error Codes"), for example `BLOB_UNKNOWN`. */
  readonly code: string | undefined
  constructor(status: number, message: string, code?: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** A server that gave no answer, or said that it cannot answer now (5xx, 408, 429): the same may be asked again. */
export class OutageError extends Error {
  override readonly name = 'OutageError'
}

/** `fetch failed` says little; what failed below it says more. */
export const describeError = (error: unknown): string => {
  const { message, cause } = error as Error
  return cause instanceof Error && !message.includes(cause.message) ? `${message}: ${cause.message}` : message
}
