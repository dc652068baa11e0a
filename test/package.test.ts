import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

// npm takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
const root = resolve(import.meta.dirname, '..')
const call = (program: string, args: string[], cwd = root) => spawnSync(program, args, { encoding: 'utf8', cwd, env: { PATH: process.env.PATH, HOME: process.env.HOME } })

let directory: string
let files: string[]
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-package-'))
  const packed = call('npm', ['pack', '--json', '--silent', '--pack-destination', directory])
  const [{ filename, files: listed }] = JSON.parse(packed.stdout) as [{ filename: string; files: { path: string }[] }]
  files = listed.map(({ path }) => path)
  // As npm lays it out where it is installed: the package beside those that it depends on.
  const packages = join(directory, 'node_modules')
  await mkdir(join(packages, 'ingot'), { recursive: true })
  call('tar', ['--extract', '--file', join(directory, filename), '--directory', join(packages, 'ingot'), '--strip-components=1'])
  for (const name of await readdir(join(root, 'node_modules'))) await symlink(join(root, 'node_modules', name), join(packages, name))
})
afterAll(() => rm(directory, { recursive: true }))

test('the package holds what runs and what goes into the appliance, and no tests', () => {
  expect(files).toEqual(expect.arrayContaining(['server/ingot', 'server/strip-types.mjs', 'server/main.ts', 'appliance/worker/main.ts', 'appliance/os/stage1/init', 'images/recipes/debian-12/recipe.yaml', 'images/recipe.schema.json', 'README.md']))
  expect(files.filter((path) => /^test\/|\.test\.ts$|^\.|^node_modules\//.test(path))).toEqual([])
})

test('an installed package runs its TypeScript, from wherever its program is linked', async () => {
  await symlink(join(directory, 'node_modules/ingot/server/ingot'), join(directory, 'ingot'))
  const { status, stdout, stderr } = call(join(directory, 'ingot'), ['--version'], directory)
  expect([status, stdout, stderr]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/), ''])
})

test('a mistake in an installed package is one message as everywhere', () => {
  const { status, stderr } = call(join(directory, 'node_modules/ingot/server/ingot'), ['serve'], directory)
  expect([status, stderr]).toEqual([2, 'ingot: expected --config FILE, or --no-netboot with --data and --listen, got neither\n'])
})

test('an installed package bundles its console, with all that is made of', () => {
  const installed = join(directory, 'node_modules/ingot')
  const script = `const { buildConsole } = await import('${installed}/server/web/build-console.ts'); console.log([...(await buildConsole()).assets.keys()].join(' '))`
  const { stdout, stderr } = call(join(root, 'node_modules/.bin/node'), ['--disable-warning=ExperimentalWarning', '--import', join(installed, 'server/strip-types.mjs'), '--input-type=module', '--eval', script])
  expect([stderr, stdout]).toEqual(['', expect.stringMatching(/^(?=.*console-[A-Z0-9]+\.js)(?=.*style-[A-Z0-9]+\.css)(?=.*\.woff2)/)])
})
