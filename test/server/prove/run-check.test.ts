import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { runCheck, type CheckedMachine } from '../../../server/prove/run-check.ts'

let server: Server
let port: number
/** This host in the machine's place: its shell runs the scripts, its HTTP server answers. */
const machine: CheckedMachine = {
  addressOf: (each) => `127.0.0.1:${each}`,
  runScript: (script) => run('/bin/sh', ['-s'], { input: script }),
  fetch,
  signal: new AbortController().signal,
}

beforeEach(async () => {
  server = createServer((request, response) => response.writeHead(request.url === '/' ? 200 : 404).end('This page came with the image'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterEach(() => server.close())

describe('a check of a recipe', () => {
  test('passes when the command exits with 0', () => runCheck({ run: 'test "$(echo a)" = a' }, machine))

  test('fails with exit code and last lines of a command that does not', async () => {
    await expect(runCheck({ run: 'echo inactive; exit 3' }, machine)).rejects.toThrow('did not pass the check "run echo inactive; exit 3": exited with 3\n  inactive')
  })

  test('passes when the page has its status and text', () => runCheck({ http: { port, path: '/', status: 200, contains: 'came with' } }, machine))

  test('fails telling the status expected and got', async () => {
    await expect(runCheck({ http: { port, path: '/gone', status: 200 } }, machine)).rejects.toThrow(`expected status 200 from http://127.0.0.1:${port}/gone, got 404`)
  })

  test('fails telling the text that is not there', async () => {
    await expect(runCheck({ http: { port, path: '/', status: 200, contains: 'Welcome to nginx' } }, machine)).rejects.toThrow('expected "Welcome to nginx" in the page')
  })

  test('fails when nobody listens, and says so', async () => {
    await new Promise((resolve) => server.close(resolve))
    await expect(runCheck({ http: { port, path: '/', status: 200 } }, machine)).rejects.toThrow(`no answer from http://127.0.0.1:${port}/: connect ECONNREFUSED`)
  })
})
