import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import type { Plan } from '../../../images/plan.ts'
import type { EndedJob } from '../../../server/api/history.ts'

const root = join(import.meta.dirname, '../../..')
const ingot = join(root, 'server/ingot')
const worker = join(root, 'test/fixtures/curl-worker.sh')

const plan: Plan = {
  version: 1,
  recipe: { name: 'by-hand', digest: 'sha256:00' },
  architecture: 'amd64',
  firmware: ['bios'],
  tools: { name: 'tools', digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 0 },
  steps: [{ kind: 'image', image: 'by-hand' }],
  proof: 'none',
}

/** `ingot serve --no-netboot` on a data directory, as a user starts it; ended by the signal that Ctrl-C sends. */
async function serve(data: string): Promise<string> {
  const server = spawn(ingot, ['serve', '--no-netboot', '--data', data, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(server, 'exit')
  onTestFinished(async () => {
    server.kill('SIGINT')
    await exited
  })
  let output = ''
  const url = new Promise<string>((resolve, reject) => {
    for (const stream of [server.stdout, server.stderr]) {
      stream.on('data', (text) => {
        output += String(text)
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0]
        if (found !== undefined) resolve(found)
      })
    }
    server.once('exit', () => reject(new Error(`ingot serve ended: ${output}`)))
  })
  return url
}

test('B13-B15 a worker written in the shell with curl does a whole job', { timeout: 120_000 }, async () => {
  const data = await mkdtemp(join(tmpdir(), 'ingot-curl-'))
  onTestFinished(() => rm(data, { recursive: true }))
  await mkdir(join(data, 'plans'))
  await writeFile(join(data, 'plans', 'web-1.json'), JSON.stringify(plan))
  await writeFile(join(data, 'jobs.json'), JSON.stringify({ version: 1, jobs: [{ id: 'web-1', recipe: 'by-hand' }] }))
  const url = await serve(data)
  const credential = await run(ingot, ['token', 'create', '--role', 'worker', '--name', 'shell', '--data', data])

  const said = await run('sh', [worker, url, credential.trim(), 'shell'])
  expect(said).toMatch(/^job web-1\nimage by-hand:web-1 sha256:[0-9a-f]{64}$/)

  const performed = JSON.parse(await readFile(join(data, 'performed', 'web-1.json'), 'utf8')) as EndedJob
  expect(performed).toMatchObject({ end: 'performed', status: { worker: 'shell', state: 'performed', attempt: 1, progress: { detail: 'imaging' } } })
  expect(await readFile(join(data, 'logs', 'web-1.log'), 'utf8')).toBe('imaging with curl\n')
  await run(ingot, ['image', 'export', 'by-hand', '--output', join(data, 'disk.raw'), '--data', data])
  expect(`sha256:${(await run('sha256sum', [join(data, 'disk.raw')])).split(' ')[0]}`).toBe(said.split(' ').at(-1))

  await expect(run('sh', [worker, url, 'ingot_worker_wrong', 'shell'])).rejects.toThrow('401')
})
