import Fastify from 'fastify'
import { mkdtemp } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { aptInstall } from '../../../appliance/steps/apt-install.ts'
import type { StepContext } from '../../../appliance/steps/context.ts'
import { packageRoutes } from '../../../server/packages/package-routes.ts'
import { removeUnmounted } from '../../helpers/remove-unmounted.ts'

/* About a minute, and Debian's archive: the real apt of a system made by mmdebstrap. */

const log = pino({ level: 'silent' })
const app = Fastify()
let isRefused = (_url: string): boolean => false

let folder: string
let packagesUrl: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-apt-'))
  const mirrors = { debian: 'http://deb.debian.org/debian', 'debian-security': 'http://deb.debian.org/debian-security' }
  app.addHook('onRequest', async (request, reply) => (isRefused(request.url) ? reply.code(502).send({ title: 'cannot be fetched' }) : undefined))
  await app.register(packageRoutes, { mirrors, cacheDirectory: join(folder, 'cache'), log })
  await app.listen({ host: '127.0.0.1', port: 0 })
  packagesUrl = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/packages`
})
afterEach(async () => {
  await app.close()
  await removeUnmounted(folder)
})

test('F4 a package index that the first computer cannot give ends the step, which says so', { timeout: 300_000 }, async () => {
  const root = join(folder, 'root')
  await run('mmdebstrap', ['--mode=root', '--variant=apt', 'bookworm', root, `${packagesUrl}/debian`], { timeoutMs: 300_000 })
  const context = { root, packagesUrl, run, log, progress: () => {}, signal: AbortSignal.timeout(150_000) } as unknown as StepContext
  isRefused = (url) => url.includes('/i18n/')
  await expect(aptInstall(['nano'], context)).rejects.toThrow('apt-get')
  isRefused = () => false
  await aptInstall(['nano'], context)
  expect(await run('chroot', [root, 'dpkg-query', '--show', '--showformat=${db:Status-Abbrev}', 'nano'])).toMatch(/^ii/)
})
