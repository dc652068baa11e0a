import { readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StepExecutor } from './context.ts'
import { emptyFolder } from './empty-folder.ts'
import { renewHostKeys } from './renew-host-keys.ts'

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

/** Takes away what must differ between two copies of the image, and sees to it that each makes its own (B24). */
export const generalise: StepExecutor<'generalise'> = async (_, { root, progress }) => {
  progress({ detail: 'taking identity away' })
  for (const path of removed) await (path.endsWith('/') ? emptyFolder(join(root, path)) : rm(join(root, path), { force: true }))
  await emptyLogs(join(root, 'var/log'))
  // Empty and not absent: systemd makes an id at every first boot, and does not take the system for one that was never configured (machine-id(5)).
  await writeFile(join(root, 'etc/machine-id'), '')
  await renewHostKeys(root)
}

/** Rotated logs go; the others become empty, because services expect them with their owner and permissions. */
async function emptyLogs(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    await (/\.(\d+|gz|xz|old)$/.test(entry.name) ? rm(path) : truncate(path))
  }
}
