import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { resolveInRoot } from '../../../appliance/steps/resolve-in-root.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ingot-root-'))
})
afterEach(() => rm(root, { recursive: true }))

test('an absolute link stays in the installed system', async () => {
  await mkdir(join(root, 'var'))
  await symlink('/run', join(root, 'var/run'))
  expect(await resolveInRoot(root, '/var/run/nginx')).toBe(join(root, 'run/nginx'))
})

test('a relative link cannot lead out of the installed system', async () => {
  await mkdir(join(root, 'etc'))
  await symlink('../../../../../etc', join(root, 'etc/up'))
  expect(await resolveInRoot(root, '/etc/up/passwd')).toBe(join(root, 'etc/passwd'))
})

test('links in a circle are refused', async () => {
  await symlink('b', join(root, 'a'))
  await symlink('a', join(root, 'b'))
  await expect(resolveInRoot(root, '/a/x')).rejects.toThrow('/a/x in the installed system: expected a path, got symbolic links in a circle')
})
