/** For `catch`: what is not there is `undefined`, and any other failure stays one. */
export function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
}
