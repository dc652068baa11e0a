import { access, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { generalise } from '../../../appliance/steps/generalise.ts'
import type { StepContext } from '../../../appliance/steps/context.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ingot-root-'))
})
afterEach(() => rm(root, { recursive: true }))

const write = async (files: Record<string, string>) => {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
}
const perform = () => generalise({ kind: 'generalise' }, { root, progress: () => {} } as unknown as StepContext)
const exists = (path: string) => access(join(root, path)).then(() => true, () => false)

test('B24 nothing that tells one machine from another is left', async () => {
  await write({
    'etc/machine-id': '0123456789abcdef0123456789abcdef\n',
    'var/lib/dbus/machine-id': '0123456789abcdef0123456789abcdef\n',
    'var/lib/systemd/random-seed': 'seed',
    'var/lib/dhcp/dhclient.leases': 'lease',
    'etc/ssh/ssh_host_rsa_key': 'secret',
    'etc/ssh/ssh_host_rsa_key.pub': 'public',
    'etc/ssh/sshd_config': 'Port 22\n',
    'usr/sbin/sshd': '',
    'var/log/journal/x/system.journal': 'log',
    'var/log/syslog': 'log',
  })
  await perform()
  expect(await readFile(join(root, 'etc/machine-id'), 'utf8')).toBe('')
  expect(await readdir(join(root, 'etc/ssh'))).toEqual(['sshd_config'])
  for (const path of ['var/lib/dbus/machine-id', 'var/lib/systemd/random-seed', 'var/lib/dhcp/dhclient.leases', 'var/log/journal/x']) {
    expect(await exists(path), path).toBe(false)
  }
  expect(await readFile(join(root, 'var/log/syslog'), 'utf8')).toBe('')
})

test('B24 a copy with an SSH server makes host keys of its own before the server starts', async () => {
  await write({ 'usr/sbin/sshd': '', 'etc/systemd/system/x': '', 'var/log/x': '' })
  await perform()
  const unit = await readlink(join(root, 'etc/systemd/system/multi-user.target.wants/ingot-ssh-host-keys.service'))
  expect(await readFile(join(root, unit), 'utf8')).toMatch(/^Before=ssh\.service.*^ExecStart=\/usr\/bin\/ssh-keygen -A$/ms)
})

test('a system without an SSH server gets no unit for it', async () => {
  await write({ 'etc/systemd/system/x': '', 'var/log/x': '' })
  await perform()
  expect(await readdir(join(root, 'etc/systemd/system'))).toEqual(['x'])
})

test('package lists, downloaded packages and rotated logs do not fill the image, and their folders stay', async () => {
  await write({ 'var/lib/apt/lists/x_InRelease': 'x', 'var/cache/apt/archives/x.deb': 'x', 'var/log/dpkg.log.1': 'x', 'var/log/apt/history.log': 'x', 'etc/x': '' })
  await perform()
  expect(await readdir(join(root, 'var/lib/apt/lists'))).toEqual([])
  expect(await readdir(join(root, 'var/cache/apt'))).toEqual([])
  expect(await readdir(join(root, 'var/log'), { recursive: true })).toEqual(['apt', 'apt/history.log'])
})
