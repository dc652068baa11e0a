import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { ListedToken } from './api/token.ts'
import type { Identity } from './http/auth.ts'
import { keepFirstAdminToken, readFirstAdminToken, removeFirstAdminToken } from './tokens/first-admin-token.ts'
import { openMachineBoots } from './tokens/machine-boots.ts'
import { hashOf, openSecretFiles, type SecretFile, type SecretFiles } from './tokens/secret-files.ts'

/*
 * Credentials of people and machines. A credential is shown once, when it is made; the data directory keeps a file named after its
 * sha256 and nothing that would give it back. So a token made by `ingot token create` works at once in a running server.
 */

/** A credential that was found is known for so long, in milliseconds: a worker asks many times a second, and each time is a file read. */
const knownMs = 1000
const mostKnown = 10_000
/** What machines are given lasts a day; which boot was given something last counts for longer than that. */
const longestMachineLifeMs = 48 * 3_600_000

const secretOf = (kind: string): string => `ingot_${kind}_${randomBytes(32).toString('base64url')}`

export interface RedeemedTicket {
  machine: string
  boot: number
  /** `late`: a later boot of the machine has exchanged its own. */
  use: 'first' | 'again' | 'late'
}

/** The credentials kept below a data directory, in `tokens/`, `tickets/` and `sessions/`. */
export interface Tokens {
  /** Makes a credential, for example `ingot_worker_Zm9v…`; it cannot be shown again. */
  create(identity: Identity, lifeSeconds?: number, boot?: number): Promise<string>
  /** At the first start, when there is no admin yet, makes one and returns the path of the file that its token is in, for its owner alone to read. */
  createFirstAdmin(): Promise<string | undefined>
  /** Whose credential this is, or nothing when it is unknown or has ended. One whose file was taken away is good for one second more. */
  identify(credential: string): Promise<Identity | undefined>
  /** The credentials that have not ended, oldest first. */
  list(): Promise<ListedToken[]>
  /** Ends the credential with this id, and the sessions that were signed in with it. */
  revoke(id: string): Promise<void>
  /** Signs a browser in with a credential: the secret for its cookie, and when the session ends. Nothing when the credential is unknown or has ended. */
  createSession(credential: string, lifeSeconds: number): Promise<{ secret: string; expiresAt: string } | undefined>
  /** Whose session this is, or nothing when it is unknown, or when it or its credential has ended. */
  session(secret: string): Promise<{ identity: Identity; expiresAt: string } | undefined>
  endSession(secret: string): Promise<void>
  /** Makes a single-use ticket for a machine, for its boot script. */
  createTicket(machine: string, lifeSeconds: number): Promise<string>
  /**
   * Uses up a ticket and tells the machine and the boot it was for; nothing when it is unknown or too old. Of any number that show it, one gets `first`, unless
   * the machine has used the ticket of a later boot. What earlier boots were given is superseded from then on.
   */
  redeemTicket(ticket: string): Promise<RedeemedTicket | undefined>
  /** Ends the credentials that this machine was given. */
  revokeMachine(machine: string): Promise<void>
  /** Takes away what has ended. */
  sweep(): Promise<void>
}

const identityOf = ({ role, name, isMachine }: SecretFile): Identity => ({ role, name, ...(isMachine === undefined ? {} : { isMachine }) })
/** What an earlier version of Ingot made tells no boot. */
const bootOf = ({ boot, createdAt }: SecretFile): number => boot ?? Date.parse(createdAt)
/** The id that a token is listed under. */
export const tokenId = (credential: string): string => idOf(hashOf(credential))
const idOf = (hash: string): string => hash.slice(0, 12)

/** Opens the credentials of a data directory. `now` is the clock, in milliseconds since 1970. */
export function openTokens(dataDirectory: string, now: () => number = Date.now): Tokens {
  const open = (folder: string): SecretFiles => openSecretFiles(join(dataDirectory, folder), now)
  const [tokens, tickets, usedTickets, sessions] = [open('tokens'), open('tickets'), open('tickets/used'), open('sessions')]
  const boots = openMachineBoots(join(dataDirectory, 'tickets/boots'), now)

  const fileOf = (identity: Identity, lifeSeconds?: number): SecretFile => ({
    ...identity,
    createdAt: new Date(now()).toISOString(),
    ...(lifeSeconds === undefined ? {} : { expiresAt: new Date(now() + lifeSeconds * 1000).toISOString() }),
  })

  const known = new Map<string, { identity: Identity; untilMs: number; readAtMs: number }>()
  const identify = async (credential: string): Promise<Identity | undefined> => {
    const nowMs = now()
    const found = known.get(credential)
    // A clock that was set back makes no credential last.
    if (found !== undefined && nowMs >= found.readAtMs && nowMs < found.untilMs) return found.identity
    known.delete(credential)
    const file = await tokens.find(credential)
    if (file === undefined) return undefined
    const latest = file.isMachine === true ? await boots.latest(file.name) : undefined
    const identity: Identity = { ...identityOf(file), ...(latest !== undefined && bootOf(file) < latest.boot ? { supersededAt: latest.at } : {}) }
    const endsMs = file.expiresAt === undefined ? Infinity : Date.parse(file.expiresAt)
    if (known.size >= mostKnown) known.clear()
    known.set(credential, { identity, readAtMs: nowMs, untilMs: Math.min(endsMs, nowMs + knownMs) })
    return identity
  }

  return {
    async create(identity, lifeSeconds, boot) {
      const credential = secretOf(identity.role)
      await tokens.keep(credential, { ...fileOf(identity, lifeSeconds), ...(boot === undefined ? {} : { boot }) })
      return credential
    },
    async createFirstAdmin() {
      if ((await tokens.list()).some(({ file }) => file.role === 'admin')) return undefined
      const { path, credential } = await keepFirstAdminToken(dataDirectory, secretOf('admin'))
      await tokens.keep(credential, fileOf({ role: 'admin', name: 'first-start' }))
      return path
    },
    identify,
    async list() {
      const all = (await tokens.list()).filter(({ file }) => file.expiresAt === undefined || Date.parse(file.expiresAt) > now())
      return all
        .map(({ hash, file }) => ({ id: idOf(hash), ...identityOf(file), createdAt: file.createdAt, ...(file.expiresAt === undefined ? {} : { expiresAt: file.expiresAt }) }))
        .toSorted((a, b) => a.createdAt.localeCompare(b.createdAt))
    },
    async revoke(id) {
      const first = await readFirstAdminToken(dataDirectory)
      if (first !== undefined && idOf(hashOf(first)) === id) await removeFirstAdminToken(dataDirectory)
      for (const { hash } of await tokens.list()) if (idOf(hash) === id) await tokens.removeHash(hash)
      for (const { hash, file } of await sessions.list()) if (file.token !== undefined && idOf(file.token) === id) await sessions.removeHash(hash)
    },
    async createSession(credential, lifeSeconds) {
      const secret = secretOf('session')
      const token = hashOf(credential)
      const owner = await tokens.findHash(token)
      if (owner === undefined) return undefined
      const file = fileOf(identityOf(owner), lifeSeconds)
      await sessions.keep(secret, { ...file, token })
      return { secret, expiresAt: file.expiresAt! }
    },
    async session(secret) {
      const file = await sessions.find(secret)
      const token = file?.token === undefined ? undefined : await tokens.findHash(file.token)
      return token === undefined ? undefined : { identity: identityOf(token), expiresAt: file!.expiresAt! }
    },
    async endSession(secret) {
      await sessions.use(secret)
    },
    async createTicket(machine, lifeSeconds) {
      const ticket = secretOf('ticket')
      await tickets.keep(ticket, { ...fileOf({ role: 'worker', name: machine }, lifeSeconds), boot: await boots.next(machine) })
      return ticket
    },
    async redeemTicket(ticket) {
      const file = await tickets.find(ticket)
      // Removing the file is what uses the ticket up: of two redeemers one finds it gone.
      if (file !== undefined && (await tickets.use(ticket))) {
        // Kept for as long as it would have been good, so that whoever shows it again is noticed.
        await usedTickets.keep(ticket, file)
        const isLatest = await boots.begin(file.name, bootOf(file))
        known.clear()
        return { machine: file.name, boot: bootOf(file), use: isLatest ? 'first' : 'late' }
      }
      const used = file ?? (await usedTickets.find(ticket))
      return used === undefined ? undefined : { machine: used.name, boot: bootOf(used), use: 'again' }
    },
    async revokeMachine(machine) {
      for (const { hash, file } of await tokens.list()) if (file.isMachine === true && file.name === machine) await tokens.removeHash(hash)
      known.clear()
    },
    async sweep() {
      for (const each of [tokens, tickets, usedTickets, sessions]) await each.sweep()
      await boots.sweep(now() - longestMachineLifeMs)
    },
  }
}
