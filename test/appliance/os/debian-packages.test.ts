import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openPackageArchive, parsePrintedUris } from '../../../appliance/os/debian-packages.ts'
import { run } from '../../../appliance/run.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-debian-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

test('the addresses that apt prints become packages, versions with an epoch included', () => {
  const sha256 = '3d3fdbe91d4660c873e14b092c213fe81c1da6362daa236eb25d0171eb108744'
  const printed = `'http://mirror/pool/busybox-static_1.35.0-4%2bdeb12u1_amd64.deb' busybox-static_1%3a1.35.0-4+deb12u1_amd64.deb 928188 SHA256:${sha256}\n`
  expect(parsePrintedUris(printed)).toEqual([
    { name: 'busybox-static', version: '1:1.35.0-4+deb12u1', architecture: 'amd64', sha256, file: 'busybox-static_1%3a1.35.0-4+deb12u1_amd64.deb' },
  ])
})

test('apt reads nothing of the configuration of this host', async () => {
  await openPackageArchive({ directory, mirror: 'http://a/debian', securityMirror: 'http://b/debian-security', run, log: pino({ enabled: false }), signal: new AbortController().signal })
  const dump = await run('apt-config', ['dump'], { env: { APT_CONFIG: join(directory, 'apt.conf') } })
  expect(dump).toContain(`Dir "${directory}";`)
  expect(dump).not.toMatch(/Post-Invoke|Pre-Install-Pkgs/)
  const policy = await run('apt-cache', ['policy'], { env: { APT_CONFIG: join(directory, 'apt.conf') } })
  expect(policy).not.toContain('http://deb.debian.org')
})

test('a mirror that does not answer is an error that names it when there are no indexes yet', async () => {
  const mirror = 'http://127.0.0.1:9/debian'
  const archive = await openPackageArchive({ directory, mirror, securityMirror: mirror, run, log: pino({ enabled: false }), signal: new AbortController().signal })
  await expect(archive.refresh({ force: false })).rejects.toMatchObject({ code: 'mirror-unreachable', message: expect.stringContaining(mirror) })
})
