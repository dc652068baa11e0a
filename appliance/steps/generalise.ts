import { access, mkdir, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StepExecutor } from './context.ts'

/** What belongs to one machine, or is of no use in a copy. A trailing `/` empties a folder and keeps it. Paths that are not there are passed over. */
const removed = [
  'var/lib/dbus/machine-id',
  'var/lib/systemd/random-seed',
  'var/lib/systemd/credential.secret',
  'boot/efi/loader/random-seed',
  'var/lib/dhcp/',
  'var/lib/NetworkManager/',
  'var/lib/apt/lists/',
  'var/cache/apt/',
  'var/log/journal/',
  'root/.bash_history',
  'tmp/',
  'var/tmp/',
]

const hostKeyUnit = 'ingot-ssh-host-keys.service'

/** Runs once in each copy: afterwards the keys are there. sshd refuses to start without them. */
const hostKeyService = `[Unit]
Description=Make the SSH host keys of this machine
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
Before=ssh.service ssh.socket

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A

[Install]
WantedBy=multi-user.target
`

/** Takes away what must differ between two copies of the image, and sees to it that each makes its own (B24). */
export const generalise: StepExecutor<'generalise'> = async (_, { root, progress }) => {
  progress({ detail: 'taking identity away' })
  for (const path of removed) await (path.endsWith('/') ? emptyFolder(join(root, path)) : rm(join(root, path), { force: true }))
  await emptyLogs(join(root, 'var/log'))
  // Empty and not absent: systemd makes an id at every first boot, and does not take the system for one that was never configured (machine-id(5)).
  await writeFile(join(root, 'etc/machine-id'), '')
  await renewHostKeys(root)
}

async function emptyFolder(path: string): Promise<void> {
  for (const name of await namesIn(path)) await rm(join(path, name), { recursive: true, force: true })
}

/** Rotated logs go; the others become empty, because services expect them with their owner and permissions. */
async function emptyLogs(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    await (/\.(\d+|gz|xz|old)$/.test(entry.name) ? rm(path) : truncate(path))
  }
}

async function renewHostKeys(root: string): Promise<void> {
  const names = await namesIn(join(root, 'etc/ssh'))
  for (const name of names.filter((key) => key.startsWith('ssh_host_'))) await rm(join(root, 'etc/ssh', name))
  if (!(await exists(join(root, 'usr/sbin/sshd')))) return
  const wants = join(root, 'etc/systemd/system/multi-user.target.wants')
  await mkdir(wants, { recursive: true })
  await writeFile(join(root, 'etc/systemd/system', hostKeyUnit), hostKeyService)
  await rm(join(wants, hostKeyUnit), { force: true })
  await symlink(`/etc/systemd/system/${hostKeyUnit}`, join(wants, hostKeyUnit))
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}
