/** No server answers for this long: the network or the boot server is gone, and only a new boot can find another. */
export const giveUpAfterMs = 300_000

/** No server could be reached for `giveUpAfterMs`. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
}
