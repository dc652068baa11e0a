import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { giveNetwork } from '../../../appliance/personalise/give-network.ts'
import { giveUsers } from '../../../appliance/personalise/give-users.ts'
import { openRootFiles, type RootFiles } from '../../../appliance/personalise/root-files.ts'
import { run } from '../../../appliance/run.ts'
import type { Chroot } from '../../../appliance/steps/chroot.ts'

/*
 * Needs root. The system is a directory with the files of one; `useradd` and `usermod` are the real ones.
 */

let root: string
let files: RootFiles
const chroot: Chroot = (program, args) => run(program, ['--prefix', root, ...args])
const put = async (path: string, text = '') => {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), text)
}
const read = (path: string) => readFile(join(root, path), 'utf8')
const look = async (path: string) => {
  const { mode, uid, gid } = await stat(join(root, path))
  return [(mode & 0o777).toString(8), uid, gid]
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ingot-root-'))
  onTestFinished(() => rm(root, { recursive: true }))
  files = openRootFiles(root)
  await put('etc/passwd', 'root:x:0:0:root:/root:/bin/bash\n')
  await put('etc/group', 'root:x:0:\nadm:x:4:\n')
  await put('etc/shadow', 'root:*:1:0:99999:7:::\n')
  await put('etc/gshadow', 'root:*::\nadm:*::\n')
  await put('etc/login.defs', 'UID_MIN 1000\nUID_MAX 60000\nGID_MIN 1000\nGID_MAX 60000\nUSERGROUPS_ENAB yes\n')
  await put('bin/bash')
  await mkdir(join(root, 'home'))
})

test('users are made with home, groups and keys that only they can read', async () => {
  await giveUsers({ users: [{ name: 'ops', groups: ['adm'], sshKeys: ['own'] }, { name: 'dev' }], sshKeys: ['common'] }, files, chroot)
  expect(await read('etc/passwd')).toMatch(/^ops:x:1000:1000::\/home\/ops:\/bin\/bash$/m)
  expect(await read('etc/group')).toMatch(/^adm:x:4:ops$/m)
  expect(await read('home/ops/.ssh/authorized_keys')).toBe('common\nown\n')
  expect(await read('home/dev/.ssh/authorized_keys')).toBe('common\n')
  expect(await look('home/ops/.ssh')).toEqual(['700', 1000, 1000])
  expect(await look('home/ops/.ssh/authorized_keys')).toEqual(['600', 1000, 1000])
  await expect(stat(join(root, 'root/.ssh'))).rejects.toThrow('ENOENT')
})

test('a user who is there keeps what he has, and gets groups and keys beside', async () => {
  await put('etc/passwd', 'root:x:0:0:root:/root:/bin/bash\nops:x:1500:4:Ops:/srv/ops:/bin/sh\n')
  await put('srv/ops/.ssh/authorized_keys', 'old\n')
  await giveUsers({ users: [{ name: 'ops', groups: ['adm'] }], sshKeys: ['new', 'old'] }, files, chroot)
  expect(await read('etc/passwd')).toContain('ops:x:1500:4:Ops:/srv/ops:/bin/sh\n')
  expect(await read('srv/ops/.ssh/authorized_keys')).toBe('old\nnew\n')
  expect(await look('srv/ops/.ssh/authorized_keys')).toEqual(['600', 1500, 4])
})

test('keys without users are root\'s', async () => {
  await giveUsers({ sshKeys: ['k'] }, files, chroot)
  expect([await read('root/.ssh/authorized_keys'), await look('root/.ssh')]).toEqual(['k\n', ['700', 0, 0]])
})

test('sudo is given by a file of its own, and refused where the image has none', async () => {
  const identity = { users: [{ name: 'ops', sudo: true }, { name: 'dev' }] }
  await expect(giveUsers(identity, files, chroot)).rejects.toThrow('users: expected sudo in the image, which ops shall use, got none')
  await put('usr/bin/sudo')
  await giveUsers(identity, files, chroot)
  expect([await read('etc/sudoers.d/90-ingot'), await look('etc/sudoers.d/90-ingot')]).toEqual(['ops ALL=(ALL:ALL) NOPASSWD: ALL\n', ['440', 0, 0]])
})

test('a link in the image leads nowhere outside of it', async () => {
  const outside = await mkdtemp(join(tmpdir(), 'ingot-outside-'))
  onTestFinished(() => rm(outside, { recursive: true }))
  await symlink(outside, join(root, 'root'))
  await symlink(join(outside, 'resolv.conf'), join(root, 'etc/resolv.conf'))
  await giveUsers({ sshKeys: ['k'] }, files, chroot)
  expect(await read(join(outside, 'root/.ssh/authorized_keys').replace('/root/', '/'))).toBe('k\n')
  await expect(stat(join(outside, '.ssh'))).rejects.toThrow('ENOENT')
})

const network = { mac: '52:54:00:12:34:56', addresses: ['192.0.2.10/24'], nameServers: ['192.0.2.1'] }

test.each([
  ['netplan', 'usr/sbin/netplan', 'etc/netplan/90-ingot.yaml'],
  ['systemd-networkd', 'etc/systemd/system/multi-user.target.wants/systemd-networkd.service', 'etc/systemd/network/05-ingot.network'],
  ['ifupdown', 'usr/sbin/ifup', 'etc/network/interfaces'],
])('the network is written as %s wants it', async (_, sign, file) => {
  await put(sign)
  await giveNetwork(network, files)
  expect(await read(file)).toContain('192.0.2.10/24')
  // Nothing else in there would bring the name servers.
  expect(await read('etc/resolv.conf')).toBe('nameserver 192.0.2.1\n')
})

test('a system whose resolver is told of name servers keeps its resolv.conf, and one that nothing brings up is refused', async () => {
  await expect(giveNetwork(network, files)).rejects.toThrow('network: expected cloud-init, netplan, systemd-networkd (enabled) or ifupdown in the image, got none of them')
  await put('usr/sbin/netplan')
  await put('lib/systemd/systemd-resolved')
  await giveNetwork(network, files)
  await expect(stat(join(root, 'etc/resolv.conf'))).rejects.toThrow('ENOENT')
})
