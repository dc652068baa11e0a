/**
 * Every error that a user can meet, by code. `user`: the input or the host is at fault, the message says what to change, and no stack is
 * shown. `system`: something we rely on failed.
 */
export const errorCodes = {
  'config-invalid': 'user',
  'data-invalid': 'user',
  'recipe-invalid': 'user',
  'recipe-unknown': 'user',
  'host-lacks': 'user',
  'image-unknown': 'user',
  'image-invalid': 'user',
  'image-exists': 'user',
  'image-in-use': 'user',
  'blob-unknown': 'user',
  'blob-refused': 'user',
  'blob-too-large': 'user',
  'server-refused': 'user',
  'server-unreachable': 'user',
  'argument-invalid': 'user',
  'port-in-use': 'user',
  'other-dhcp-server': 'user',
  'output-closed': 'system',
  'storage-full': 'system',
  'store-unreachable': 'system',
  'mirror-unreachable': 'system',
  'component-build': 'system',
  'appliance-build': 'system',
  'image-corrupt': 'system',
  'demo-failed': 'system',
} as const satisfies Record<string, 'user' | 'system'>
export type ErrorCode = keyof typeof errorCodes

/** An error with a code of the closed list; `problems` holds one line per wrong field when there are several. */
export class IngotError extends Error {
  override readonly name = 'IngotError'
  readonly code: ErrorCode
  readonly problems: readonly string[]

  constructor(code: ErrorCode, message: string, options: { problems?: readonly string[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.problems = options.problems ?? []
  }
}
