import { createHash } from 'node:crypto'

/** A claim token is 32 random bytes in base64url; what is shorter could be guessed. */
export const claimTokenPattern = /^[A-Za-z0-9_-]{43}$/

/** What is kept of a claim token, for example `sha256:9f86d0…`. */
export const hashClaim = (token: string): string => `sha256:${createHash('sha256').update(token).digest('hex')}`
