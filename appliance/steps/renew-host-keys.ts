import { access, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { namesIn } from './names-in.ts'

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

/** Takes the SSH host keys of an installed system away and sees to it that each copy of it makes its own when it boots first (B24). */
export async function renewHostKeys(root: string): Promise<void> {
  const names = await namesIn(join(root, 'etc/ssh'))
  for (const name of names.filter((key) => key.startsWith('ssh_host_'))) await rm(join(root, 'etc/ssh', name))
  if (!(await exists(join(root, 'usr/sbin/sshd')))) return
  const wants = join(root, 'etc/systemd/system/multi-user.target.wants')
  await mkdir(wants, { recursive: true })
  await writeFile(join(root, 'etc/systemd/system', hostKeyUnit), hostKeyService)
  await rm(join(wants, hostKeyUnit), { force: true })
  await symlink(`/etc/systemd/system/${hostKeyUnit}`, join(wants, hostKeyUnit))
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}
