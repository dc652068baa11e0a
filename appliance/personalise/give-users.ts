import { join } from 'node:path'
import type { Identity, User } from '../../images/identity.ts'
import type { Chroot } from '../steps/chroot.ts'
import type { FileOwner, RootFiles } from './root-files.ts'

/** A line of passwd(5). */
export interface Account extends FileOwner {
  home: string
}

/** What `/etc/passwd` says of a user; nothing when it does not know that one. */
export function findAccount(passwd: string, name: string): Account | undefined {
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find(([each]) => each === name)
  return fields === undefined ? undefined : { uid: Number(fields[2]), gid: Number(fields[3]), home: fields[5]! }
}

/** Makes the users that the system does not have, and lets those who hold a key log in: as each of them, or as root when there are none. Throws when the image lacks what that needs. */
export async function giveUsers({ users = [], sshKeys = [] }: Identity, files: RootFiles, chroot: Chroot): Promise<void> {
  for (const user of users) {
    await giveAccount(user, files, chroot)
    await giveKeys(user.name, [...sshKeys, ...(user.sshKeys ?? [])], files)
  }
  if (users.length === 0) await giveKeys('root', sshKeys, files)

  const admins = users.filter(({ sudo }) => sudo === true).map(({ name }) => name)
  if (admins.length === 0) return
  if (!(await files.has('/usr/bin/sudo'))) throw new Error(`users: expected sudo in the image, which ${admins.join(' and ')} shall use, got none`)
  // sudo reads no file here that others may write or that has a dot in its name (sudoers(5), "Including other files").
  await files.write('/etc/sudoers.d/90-ingot', admins.map((name) => `${name} ALL=(ALL:ALL) NOPASSWD: ALL\n`).join(''), { mode: 0o440 })
}

async function giveAccount({ name, groups = [] }: User, files: RootFiles, chroot: Chroot): Promise<void> {
  const isThere = findAccount(await files.read('/etc/passwd'), name) !== undefined
  if (!isThere) {
    const shell = (await files.has('/bin/bash')) ? '/bin/bash' : '/bin/sh'
    await chroot('useradd', ['--create-home', '--shell', shell, ...(groups.length === 0 ? [] : ['--groups', groups.join(',')]), name])
  } else if (groups.length > 0) await chroot('usermod', ['--append', '--groups', groups.join(','), name])
}

/** Adds keys to those that are there. sshd takes none from a file or folder that others may write (sshd(8), StrictModes). */
async function giveKeys(user: string, keys: readonly string[], files: RootFiles): Promise<void> {
  if (keys.length === 0) return
  const account = findAccount(await files.read('/etc/passwd'), user)
  if (account === undefined) throw new Error(`sshKeys: expected the user ${user} in the image, got none`)
  const folder = join(account.home, '.ssh')
  const file = join(folder, 'authorized_keys')
  const there = (await files.read(file)).split('\n').filter((line) => line !== '')
  await files.makeFolder(folder, { mode: 0o700, owner: account })
  await files.write(file, `${[...new Set([...there, ...keys])].join('\n')}\n`, { mode: 0o600, owner: account })
}
