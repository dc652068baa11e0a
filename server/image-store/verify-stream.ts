import { createHash } from 'node:crypto'

/**
 * Passes a blob on while it is hashed. The last piece is held back until all has the digest, so that whoever takes it never has a wrong blob whole: if
 * it is another, `onWrong` is told what it is, and what that throws breaks the stream.
 */
export async function* verifyStream(content: AsyncIterable<Uint8Array>, digest: string, onWrong: (got: string) => Promise<never>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let held: Uint8Array | undefined
  for await (const piece of content) {
    hash.update(piece)
    if (held !== undefined) yield held
    held = piece
  }
  const got = `sha256:${hash.digest('hex')}`
  if (got !== digest) await onWrong(got)
  if (held !== undefined) yield held
}
