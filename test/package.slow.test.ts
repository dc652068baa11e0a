import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const minutes = 60_000

let directory: string
let server: ChildProcess | undefined
/** Neither this repository nor its packages are in reach of what runs here. */
const call = (program: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd: directory, env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: process.env.HOME } })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${status}: ${stdout}${stderr}`)
  return stdout
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-install-'))
  const [{ filename }] = JSON.parse(call('npm', 'pack', root, '--json', '--silent')) as [{ filename: string }]
  await writeFile(join(directory, 'package.json'), '{}')
  call('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', `./${filename}`)
}, 10 * minutes)
afterAll(async () => {
  if (server !== undefined && server.exitCode === null) {
    server.kill('SIGTERM')
    await once(server, 'exit')
  }
  await rm(directory, { recursive: true })
})

test('npm installs the packed package with all that it runs on, and it serves', async () => {
  const ingot = join(directory, 'node_modules/.bin/ingot')
  expect(call(ingot, '--version')).toMatch(/^\d+\.\d+\.\d+\n$/)
  server = spawn(ingot, ['serve', '--no-netboot', '--data', join(directory, 'data'), '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'inherit', 'pipe'], cwd: directory })
  let url: string | undefined
  for await (const line of createInterface({ input: server.stderr! })) if ((url = /"url":"([^"]+)"/.exec(line)?.[1]) !== undefined) break
  server.stderr!.resume()
  const [health, ready] = await Promise.all([fetch(`${url}/healthz`), fetch(`${url}/readyz`)])
  expect([health.status, ready.status]).toEqual([200, 200])
}, 2 * minutes)

test('the worker of an appliance is bundled from an installed package', async () => {
  // What the appliance takes besides are Debian's packages, which are the same wherever Ingot is.
  const program = `
    import { bundleWorker } from 'ingot/appliance/os/bundle-worker.ts'
    const files = await bundleWorker({ worker: process.argv[2] }, '1.2.3')
    console.log(files.get('worker.mjs').includes('1.2.3'))`
  await writeFile(join(directory, 'bundle.mjs'), program)
  const at = (path: string) => join(directory, 'node_modules', path)
  expect(call(at('.bin/node'), '--import', at('ingot/server/strip-types.mjs'), 'bundle.mjs', at('ingot/appliance/worker/main.ts'))).toBe('true\n')
})
