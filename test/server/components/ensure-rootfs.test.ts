import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Run } from '../../../appliance/run.ts'
import { createComponentStore, type ComponentStore } from '../../../server/components/component-store.ts'
import { createEnsureRootfs, type EnsureRootfs } from '../../../server/components/ensure-rootfs.ts'

/*
 * When a root filesystem is built and when it is reused. mmdebstrap itself, which takes a minute, is the demo's to run; here it is a program that
 * writes down what it was asked for.
 */

let directory: string
let archive: Server
let date: string
let builds: (readonly string[])[]
let store: ComponentStore

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-ensure-'))
  date = 'Sat, 10 May 2025 09:16:01 UTC'
  archive = createServer((request, response) => {
    const known = /^\/packages\/(debian\/dists\/bookworm(-updates)?|debian-security\/dists\/bookworm-security)\/InRelease$/.test(request.url ?? '')
    response.writeHead(known ? 200 : 404).end(`Origin: Debian\nDate: ${date}\n`)
  })
  await new Promise<void>((resolve) => archive.listen(0, '127.0.0.1', resolve))
  builds = []
  store = createComponentStore(join(directory, 'components'))
})
afterEach(async () => {
  archive.close()
  await rm(directory, { recursive: true })
})

const run: Run = async (program, args, options) => {
  if (program === 'mmdebstrap') {
    builds.push(args)
    await writeFile(args.find((arg) => arg.endsWith('/rootfs.tar'))!, `${options?.env?.SOURCE_DATE_EPOCH} ${args.find((arg) => arg.startsWith('--include='))}`)
  }
  if (program === 'zstd') await writeFile(args.at(-1)!, `packed ${builds.length}`)
  return ''
}

/** A first computer that starts: a new port for its package cache, the same data directory. */
const start = (): EnsureRootfs => {
  const { port } = archive.address() as AddressInfo
  return createEnsureRootfs({ directory: join(directory, 'rootfs'), packagesUrl: `http://127.0.0.1:${port}/packages`, store, run, fetch })
}
const wanted = { base: { suite: 'bookworm' as const, packages: ['linux-image-amd64', 'nano'] }, format: 'tar.zst' as const }
const quiet = () => {}

test('the first time it is built, from the package cache, with the date of the archive', async () => {
  const { component, reused, reason } = await start()(wanted, quiet)
  expect({ name: component.name, reused, reason }).toEqual({ name: 'debian-bookworm.tar.zst', reused: false, reason: 'first build' })
  expect(await store.verify(component)).toBe(true)
  const { port } = archive.address() as AddressInfo
  expect(builds[0]!.slice(-3)).toEqual([
    `deb http://127.0.0.1:${port}/packages/debian bookworm main`,
    `deb http://127.0.0.1:${port}/packages/debian bookworm-updates main`,
    `deb http://127.0.0.1:${port}/packages/debian-security bookworm-security main`,
  ])
})

test('F9 it is reused as long as neither packages nor archive change, whatever the order of the packages', async () => {
  const first = await start()(wanted, quiet)
  const again = await start()({ ...wanted, base: { suite: 'bookworm', packages: ['nano', 'linux-image-amd64'] } }, quiet)
  expect(again).toEqual({ component: first.component, reused: true, reason: 'neither its packages nor the archive changed' })
  expect(builds.length).toBe(1)
})

test('it is built again when Debian published something, when a package is added, and when the stored one is damaged', async () => {
  const { component } = await start()(wanted, quiet)
  date = 'Sun, 11 May 2025 09:16:01 UTC'
  expect(await start()(wanted, quiet)).toMatchObject({ reused: false, reason: 'the archive changed' })
  expect(await start()({ ...wanted, base: { suite: 'bookworm', packages: ['nano'] } }, quiet)).toMatchObject({ reused: false, reason: 'first build' })
  const { component: current } = await start()(wanted, quiet)
  expect(current.digest).not.toBe(component.digest)
  await writeFile(store.path(current.digest), 'damaged!')
  expect(await start()(wanted, quiet)).toMatchObject({ reused: false, reason: 'the stored one is gone or damaged' })
})

test('F10 without the outside network it is reused', async () => {
  const { component } = await start()(wanted, quiet)
  const ensure = start()
  await new Promise((resolve) => archive.close(resolve))
  expect(await ensure(wanted, quiet)).toEqual({ component, reused: true, reason: expect.stringMatching(/^the package archive cannot be asked: /) })
})

test('without the outside network and without an earlier build the archive is what fails', async () => {
  const ensure = start()
  await new Promise((resolve) => archive.close(resolve))
  await expect(ensure(wanted, quiet)).rejects.toMatchObject({ code: 'mirror-unreachable' })
})

test('two jobs that need it at once wait for one build', async () => {
  const ensure = start()
  const [one, two] = await Promise.all([ensure(wanted, quiet), ensure(wanted, quiet)])
  expect(one).toBe(two)
  expect(builds.length).toBe(1)
})
