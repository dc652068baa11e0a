import type { Listening } from './https-service.ts'

/** Where a server speaks HTTPS and by what it is known there, for its log: both in one line, to be copied from there. */
export const addressOf = ({ https }: Listening): { https?: string; fingerprint?: string } => (https === undefined ? {} : { https: https.url, fingerprint: https.fingerprint })
