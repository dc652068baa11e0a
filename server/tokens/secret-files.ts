import { createHash } from 'node:crypto'
import { readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { roles, type Role } from '../api/role.ts'
import { createFile, removeFile } from '../durable-file.ts'

/** What is kept of a secret, in a file named after its sha256: nothing that would give it back. */
export interface SecretFile {
  role: Role
  name: string
  /** It was given to the machine of that name, and speaks for no other. */
  isMachine?: true
  createdAt: string
  /** After this moment it is refused; absent for those that do not end. */
  expiresAt?: string
  /** Of a ticket, and of the credential that was given for it: which boot of the machine; see `MachineBoots`. */
  boot?: number
  /** Of a session: the hash of the token that was signed in with. */
  token?: string
}

/** Secrets of one kind, in one folder. */
export interface SecretFiles {
  /** Returns false when this secret is kept already. */
  keep(secret: string, file: SecretFile): Promise<boolean>
  /** What is kept of a secret, or of its hash; nothing when it is unknown or has ended. */
  find(secret: string): Promise<SecretFile | undefined>
  findHash(hash: string): Promise<SecretFile | undefined>
  /** All, also those that have ended, by hash. */
  list(): Promise<{ hash: string; file: SecretFile }[]>
  /** Takes a secret away: of any number of callers one is told true. */
  use(secret: string): Promise<boolean>
  removeHash(hash: string): Promise<void>
  /** Takes away what has ended. */
  sweep(): Promise<void>
}

export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

/** Opens the secrets in a folder, which need not be there yet. `now` is the clock, in milliseconds since 1970. */
export function openSecretFiles(folder: string, now: () => number): SecretFiles {
  const pathOf = (hash: string) => join(folder, `${hash}.json`)
  const hasEnded = ({ expiresAt }: SecretFile): boolean => expiresAt !== undefined && Date.parse(expiresAt) <= now()

  const read = async (hash: string): Promise<SecretFile | undefined> => {
    try {
      return JSON.parse(await readFile(pathOf(hash), 'utf8')) as SecretFile
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }
  const findHash = async (hash: string): Promise<SecretFile | undefined> => {
    const file = await read(hash)
    return file === undefined || hasEnded(file) || !roles.includes(file.role) ? undefined : file
  }
  const list: SecretFiles['list'] = async () => {
    const names = await readdir(folder).catch((error: unknown) => {
      if (isMissing(error)) return []
      throw error
    })
    const hashes = names.flatMap((name) => /^([0-9a-f]{64})\.json$/.exec(name)?.[1] ?? [])
    const files = await Promise.all(hashes.map(async (hash) => ({ hash, file: await read(hash) })))
    return files.filter((each): each is { hash: string; file: SecretFile } => each.file !== undefined)
  }

  return {
    keep: (secret, file) => createFile(pathOf(hashOf(secret)), `${JSON.stringify(file)}\n`, { mode: 0o600 }),
    find: (secret) => findHash(hashOf(secret)),
    findHash,
    list,
    async use(secret) {
      try {
        await unlink(pathOf(hashOf(secret)))
        return true
      } catch (error) {
        if (isMissing(error)) return false
        throw error
      }
    },
    removeHash: (hash) => removeFile(pathOf(hash)),
    async sweep() {
      for (const { hash, file } of await list()) if (hasEnded(file)) await removeFile(pathOf(hash))
    },
  }
}
