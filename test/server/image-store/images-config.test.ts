import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parseConfig } from '../../../server/config.ts'
import { openConfiguredImages } from '../../../server/image-store/images-config.ts'
import { registryUser, startDockerRegistry } from './docker-registry.ts'

const folderOf = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-images-config-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}
const parse = (folder: string, images: object) => parseConfig(JSON.stringify({ data: 'data', listen: '127.0.0.1:1', images }), join(folder, 'ingot.yaml'), {}).images
const problemsOf = (folder: string, images: object): readonly string[] => {
  try {
    parse(folder, images)
  } catch (error) {
    return (error as { problems: string[] }).problems.map((problem) => problem.replace(/^.*ingot\.yaml:\d+:\d+: /, ''))
  }
  return []
}

test('how long versions stay is read, and wrong fields are named', async () => {
  const folder = await folderOf()
  const images = { keep: { count: 5, days: 30 }, names: { 'debian-12': { keep: { count: 20 } } } }
  expect(parse(folder, images)).toEqual(images)
  expect(problemsOf(folder, { keep: {} })).toEqual([expect.stringMatching(/^images\.keep: /)])
  expect(problemsOf(folder, { keep: { count: 0 } })).toEqual([expect.stringMatching(/^images\.keep\.count: expected .* 1, got 0/)])
})

test('a registry is read with its password file, and no rule stands beside it', async () => {
  const folder = await folderOf()
  const registry = { url: 'https://registry.example/team', username: 'ingot', passwordFile: 'password' }
  expect(problemsOf(folder, { registry })).toEqual([`images.registry.passwordFile: expected a file, got ${join(folder, 'password')} does not exist`])
  await writeFile(join(folder, 'password'), 'x\n')
  expect(parse(folder, { registry })).toEqual({ registry: { ...registry, passwordFile: join(folder, 'password') } })
  expect(problemsOf(folder, { registry: { url: registry.url, username: 'ingot' } })).toEqual(['images.registry: expected username and passwordFile, or neither, got username only'])
  expect(problemsOf(folder, { registry, keep: { count: 1 } })).toEqual(['images.keep: expected nothing beside `registry`, which keeps and removes versions by rules of its own, got a rule'])
  expect(problemsOf(folder, { registry: { url: 'ftp://x' } })).toEqual([expect.stringMatching(/^images\.registry\.url: /)])
})

test('images are opened where the configuration has them', { timeout: 60_000 }, async () => {
  const folder = await folderOf()
  const local = await openConfiguredImages({}, folder)
  onTestFinished(() => local.store.close())
  expect([await local.store.list(), local.layout]).toEqual([[], local.store])
  const docker = await startDockerRegistry()
  onTestFinished(docker.close)
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, `${registryUser.password}\n`)
  const remote = await openConfiguredImages({ registry: { url: docker.url, username: registryUser.username, passwordFile } }, folder)
  expect([await remote.store.list(), remote.layout]).toEqual([[], undefined])
})
