import type { Role } from './role.ts'

/** Answer to `POST /session` and `GET /session`: who is signed in, for example `{ "role": "operator", "name": "ada", "expiresAt": "2026-11-29T06:00:00.000Z" }`. */
export interface SessionAnswer {
  role: Role
  /** Of the token that was signed in with. */
  name: string
  /** When the session ends; absent for one who asks with a token. */
  expiresAt?: string
}
