import Fastify from 'fastify'
import { mkdir, mkdtemp, readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import type { StepContext } from '../../../appliance/steps/context.ts'
import { installDebootstrap } from '../../../appliance/steps/install-debootstrap.ts'
import { createComponentStore } from '../../../server/components/component-store.ts'
import { createEnsureRootfs } from '../../../server/components/ensure-rootfs.ts'
import { packageRoutes } from '../../../server/packages/package-routes.ts'
import { removeUnmounted } from '../../helpers/remove-unmounted.ts'

/* Several minutes, and Debian's archive: mmdebstrap makes the system that debootstrap runs in, then debootstrap makes another. */

const log = pino({ level: 'silent' })
const app = Fastify()

let folder: string
let packagesUrl: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-debootstrap-'))
  const mirrors = { debian: 'http://deb.debian.org/debian', 'debian-security': 'http://deb.debian.org/debian-security' }
  await app.register(packageRoutes, { mirrors, cacheDirectory: join(folder, 'cache'), log })
  await app.listen({ host: '127.0.0.1', port: 0 })
  packagesUrl = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/packages`
})
afterEach(async () => {
  await app.close()
  await removeUnmounted(folder)
})

test('B22 debootstrap on the worker makes a Debian with the packages asked for, from the first computer alone', { timeout: 900_000 }, async () => {
  const store = createComponentStore(join(folder, 'components'))
  const ensureRootfs = createEnsureRootfs({ directory: join(folder, 'rootfs'), packagesUrl, store, run, fetch })
  const { component } = await ensureRootfs({ base: { suite: 'bookworm', packages: ['debootstrap', 'wget'] }, format: 'squashfs' }, () => {})
  const root = join(folder, 'target')
  await mkdir(root)
  const context = {
    root,
    disk: { device: '', layoutSizeBytes: 0, partitions: [] },
    server: { component: async ({ digest }: { digest: string }) => store.open(digest) },
    packagesUrl,
    run,
    log,
    progress: () => {},
    signal: new AbortController().signal,
  } as unknown as StepContext

  await installDebootstrap({ kind: 'install-debootstrap', suite: 'bookworm', packages: ['nano'], tools: component }, context)

  expect(await run('chroot', [root, 'dpkg-query', '--show', '--showformat=${db:Status-Abbrev}', 'nano'])).toMatch(/^ii/)
  expect(await readFile(join(root, 'etc/apt/sources.list'), 'utf8')).toMatch(/^deb http:\/\/deb\.debian\.org\/debian bookworm main\n/)
  expect((await readFile('/proc/self/mounts', 'utf8')).includes(folder)).toBe(false)
})
