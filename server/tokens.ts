import { createHash, randomBytes } from 'node:crypto'
import { readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { createFile } from './durable-file.ts'
import { roles, type Identity, type Role } from './http/auth.ts'

/*
 * Credentials of people and machines. A credential is shown once, when it is made; the data directory keeps a file named after its
 * sha256 and nothing that would give it back. So a token made by `ingot token create` works at once in a running server.
 */

interface TokenFile extends Identity {
  createdAt: string
  /** After this moment it is refused; absent for tokens that do not end. */
  expiresAt?: string
}

/** A credential that was found is known for so long, in milliseconds: a worker asks many times a second, and each time is a file read. */
const knownMs = 1000
const mostKnown = 10_000

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')
const secretOf = (kind: string): string => `ingot_${kind}_${randomBytes(32).toString('base64url')}`

/** The credentials kept below a data directory, in `tokens/` and `tickets/`. */
export interface Tokens {
  /** Makes a credential, for example `ingot_worker_Zm9v…`; it cannot be shown again. */
  create(identity: Identity, lifeSeconds?: number): Promise<string>
  /** Whose credential this is, or nothing when it is unknown or has ended. One whose file was taken away is good for one second more. */
  identify(credential: string): Promise<Identity | undefined>
  /** Makes a single-use ticket for a machine, for its boot script. */
  createTicket(machine: string, lifeSeconds: number): Promise<string>
  /** Uses up a ticket: the machine it was for, or nothing when it is unknown, used already or too old. */
  redeemTicket(ticket: string): Promise<string | undefined>
}

/** Opens the credentials of a data directory. `now` is the clock, in milliseconds since 1970. */
export function openTokens(dataDirectory: string, now: () => number = Date.now): Tokens {
  const path = (folder: string, secret: string) => join(dataDirectory, folder, `${hashOf(secret)}.json`)

  const write = async (folder: string, secret: string, identity: Identity, lifeSeconds: number | undefined) => {
    const file: TokenFile = {
      ...identity,
      createdAt: new Date(now()).toISOString(),
      ...(lifeSeconds === undefined ? {} : { expiresAt: new Date(now() + lifeSeconds * 1000).toISOString() }),
    }
    await createFile(path(folder, secret), `${JSON.stringify(file)}\n`, { mode: 0o600 })
    return secret
  }

  const read = async (folder: string, secret: string): Promise<(Identity & { untilMs: number }) | undefined> => {
    let text: string
    try {
      text = await readFile(path(folder, secret), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    const file = JSON.parse(text) as TokenFile
    const untilMs = file.expiresAt === undefined ? Infinity : Date.parse(file.expiresAt)
    if (untilMs <= now() || !roles.includes(file.role)) return undefined
    return { role: file.role as Role, name: file.name, untilMs }
  }

  const known = new Map<string, { identity: Identity; untilMs: number; readAtMs: number }>()
  const identify = async (credential: string): Promise<Identity | undefined> => {
    const nowMs = now()
    const found = known.get(credential)
    // A clock that was set back makes no credential last.
    if (found !== undefined && nowMs >= found.readAtMs && nowMs < found.untilMs) return found.identity
    known.delete(credential)
    const file = await read('tokens', credential)
    if (file === undefined) return undefined
    const { untilMs, ...identity } = file
    if (known.size >= mostKnown) known.clear()
    known.set(credential, { identity, readAtMs: nowMs, untilMs: Math.min(untilMs, nowMs + knownMs) })
    return identity
  }

  return {
    create: (identity, lifeSeconds) => write('tokens', secretOf(identity.role), identity, lifeSeconds),
    identify,
    createTicket: (machine, lifeSeconds) => write('tickets', secretOf('ticket'), { role: 'worker', name: machine }, lifeSeconds),
    async redeemTicket(ticket) {
      const identity = await read('tickets', ticket)
      if (identity === undefined) return undefined
      try {
        // Removing the file is what uses the ticket up: of two redeemers one finds it gone.
        await unlink(path('tickets', ticket))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
      return identity.name
    },
  }
}
