/**
 * Header that carries the claim token: 32 random bytes in base64url. A worker that makes it itself can ask again when the answer to its claim
 * was lost; for one that sends none the server makes it and returns it in the same header.
 */
export const claimHeader = 'ingot-claim'

/** Header that tells which job an upload is for, beside its claim token. */
export const jobHeader = 'ingot-job'
