import { constants } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { connectServer } from '../../../appliance/worker/connect-server.ts'
import { httpFetch } from '../../../appliance/worker/http-fetch.ts'
import { createLogBuffer } from '../../../appliance/worker/log-buffer.ts'
import { tellConsole } from '../../../appliance/worker/tell-console.ts'
import { log, machine, openJobServer, until, type JobServer } from './job-server.ts'

/** A machine that says something, whose credential is that of `name`. */
async function turnOn(server: JobServer, name = machine) {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-kmsg-'))
  const path = join(directory, 'kmsg')
  await run('mkfifo', [path])
  const kernel = await open(path, constants.O_RDWR | constants.O_NONBLOCK)
  const credential = await server.tokens.create({ role: 'worker', name, isMachine: true })
  const lines = createLogBuffer()
  const off = new AbortController()
  const told = tellConsole({ server: connectServer({ url: server.url, credential, fetch: httpFetch }), machine, lines, kernelLogPath: path, log, signal: off.signal })
  onTestFinished(async () => {
    off.abort()
    await told
    await kernel.close()
    await rm(directory, { recursive: true })
  })
  return { lines, told, sayAsKernel: (number: number, text: string) => kernel.write(`6,${number},1500000,-;${text}\n`) }
}

test('F8 what the kernel and the worker of a machine without a job say is kept by the server, over an outage of it too', async () => {
  const server = await openJobServer()
  const kept = () => server.ask('GET', `/machines/${machine}/console`) as Promise<string>
  expect(await kept()).toBe('')
  const { lines, sayAsKernel } = await turnOn(server)
  lines.push('worker: up')
  await sayAsKernel(0, 'Linux version 6.1')
  await until(async () => (await kept()) === 'worker: up\nkernel: [    1.500000] Linux version 6.1\n')

  await server.stop()
  await sayAsKernel(1, 'ata1: SError: { PHYRdyChg }')
  await server.start()
  await until(async () => (await kept()).endsWith('kernel: [    1.500000] ata1: SError: { PHYRdyChg }\n'))
  expect(await kept()).toMatch(/^worker: up\n/)
})

test('a server that refuses is told nothing more', async () => {
  const server = await openJobServer()
  const { lines, told } = await turnOn(server, '52-54-00-12-34-57')
  lines.push('worker: up')
  await told
  expect(await server.ask('GET', `/machines/${machine}/console`)).toBe('')
})
