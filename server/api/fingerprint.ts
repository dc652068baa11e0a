import { Type } from 'typebox'

/** The fingerprint of a public key: the sha256 of its SubjectPublicKeyInfo in DER (RFC 7469, 2.4), for example `sha256:9f86…`. */
export const fingerprintSchema = Type.String({ pattern: '^sha256:[0-9a-f]{64}$', description: 'a fingerprint like sha256:9f86…, which `ingot tls show` tells' })
