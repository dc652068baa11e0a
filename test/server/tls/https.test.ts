import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CommandError, run, start } from '../../../appliance/run.ts'
import { createPinnedFetch } from '../../../appliance/worker/pinned-fetch.ts'
import { runWorker } from '../../../appliance/worker/worker.ts'
import { parseConfig } from '../../../server/config.ts'
import { startFirstComputer, type FirstComputer } from '../../../server/first-computer.ts'
import { createProgram } from '../../../server/commands/create-program.ts'
import { createApp } from '../../../server/http/app.ts'
import { startMaster } from '../../../server/master/start-master.ts'
import { createHttpsService } from '../../../server/tls/https-service.ts'
import { openTls } from '../../../server/tls/open-tls.ts'
import { openTokens } from '../../../server/tokens.ts'
import { inventory } from '../http/job-server.ts'
import { makeGiven, testFolder } from './make-given.ts'

const log = pino({ level: 'silent' })

let data: string
let server: FirstComputer & { https: { url: string; fingerprint: string } }
let token: string
const authority = () => join(data, 'tls', 'authority.crt')

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'ingot-https-'))
  const plan = { version: 1, recipe: { name: 'r', digest: 'sha256:0' }, architecture: 'amd64', firmware: ['bios'], tools: { name: 'tools', digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 0 }, steps: [{ kind: 'image', image: 'r' }], proof: 'none' }
  await mkdir(join(data, 'plans'), { recursive: true })
  await writeFile(join(data, 'plans', 'a.json'), JSON.stringify(plan))
  await writeFile(join(data, 'jobs.json'), JSON.stringify({ version: 1, jobs: [{ id: 'a', recipe: 'r' }] }))
  const config = parseConfig(JSON.stringify({ data, listen: '127.0.0.1:0', tls: {}, admit: 'all' }), join(data, 'ingot.yaml'))
  server = (await startFirstComputer({ config, log, run, start })) as typeof server
  token = await openTokens(data).create({ role: 'admin', name: 'test' })
}, 60_000)
afterAll(async () => {
  await server.close()
  await rm(data, { recursive: true, maxRetries: 10 })
})

const port = () => new URL(server.https.url).port
const curl = (...options: string[]) => run('curl', ['--silent', '--show-error', '--fail', ...options])

describe('programs of the distribution', () => {
  test('curl trusts the authority, which it fetched, and nothing without it', async () => {
    expect(JSON.parse(await curl('--cacert', authority(), `${server.https.url}/healthz`))).toEqual({ status: 'up' })
    expect(await curl('--cacert', authority(), `https://localhost:${port()}/authority.crt`)).toBe(await run('cat', [authority()]))
    await expect(curl(`${server.https.url}/healthz`)).rejects.toThrow(/exited with 60/)
  })

  test('curl pins the key of the server itself', async () => {
    const pin = await run('sh', ['-c', 'openssl x509 -in "$1" -pubkey -noout | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64', 'sh', join(data, 'tls', 'server.pem')])
    const pinned = (hash: string) => curl('--insecure', '--pinnedpubkey', `sha256//${hash}`, `${server.https.url}/healthz`)
    expect(JSON.parse(await pinned(pin))).toEqual({ status: 'up' })
    await expect(pinned(Buffer.alloc(32).toString('base64'))).rejects.toThrow(/exited with 90/)
  })

  test('skopeo trusts it as the one authority there is', async () => {
    const tags = (env: Record<string, string>) => run('skopeo', ['list-tags', '--creds', `any:${token}`, `docker://127.0.0.1:${port()}/none`], { env })
    await expect(tags({ SSL_CERT_FILE: authority() })).rejects.toThrow(/name unknown|no image|404|not found/i)
    await expect(tags({})).rejects.toThrow(/certificate signed by unknown authority/)
  })

  test('openssl sees TLS 1.3, a whole chain that is good for the address, and no older protocol', async () => {
    const connect = (...options: string[]) => run('openssl', ['s_client', '-connect', `127.0.0.1:${port()}`, '-CAfile', authority(), ...options], { input: '' })
    const said = await connect('-verify_ip', '127.0.0.1', '-verify_return_error', '-showcerts')
    expect(said).toMatch(/New, TLSv1\.3, Cipher is /)
    expect(said).toContain('Verify return code: 0 (ok)')
    expect(said.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
    await expect(connect('-tls1_2')).rejects.toThrow(CommandError)
    // The client chooses: its processor may have no instructions for AES.
    for (const suite of ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256']) expect(await connect('-ciphersuites', `${suite}:TLS_AES_256_GCM_SHA384`)).toContain(`Cipher is ${suite}`)
  })

  test('a browser gets a cookie that plain HTTP can neither set nor read', async () => {
    const headers = await curl('--cacert', authority(), '--dump-header', '-', '--output', '/dev/null', '--header', 'Content-Type: application/json', '--data', JSON.stringify({ token }), `${server.https.url}/session`)
    expect(headers).toMatch(/^set-cookie: __Host-ingot-session=[^;]+; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict\r?$/im)
    expect(headers).not.toMatch(/strict-transport-security/i)
  })
})

describe('the commands', () => {
  /** What a command prints; rejects with what it says is wrong. */
  const call = async (args: string[], env: Record<string, string> = {}): Promise<string> => {
    const lines: string[] = []
    const context = { run, start, log, print: (line: string) => void lines.push(line), output: new Writable(), say: () => {}, signal: new AbortController().signal, columns: undefined, exit: () => {} }
    await createProgram({ ...context, env: { INGOT_TOKEN: token, INGOT_DATA: '/nowhere', ...env } }).parseAsync(args, { from: 'user' })
    return lines.join('\n')
  }
  const list = (...more: string[]) => ['job', 'list', '--json', '--server', server.https.url, ...more]

  test('trust a fingerprint, told as an option or in the environment, and on the same host the authority by itself', async () => {
    const { fingerprint } = server.https
    for (const said of [call(list('--server-fingerprint', fingerprint)), call(list(), { INGOT_FINGERPRINT: fingerprint }), call(list(), { INGOT_DATA: data })]) expect(await said).toContain('"id":"a"')
  })

  test('refuse a server with another, and one that they know nothing of, and a fingerprint that is none', async () => {
    const wrong = `sha256:${'0'.repeat(64)}`
    const { fingerprint, url } = server.https
    const known = `the certificate of 127.0.0.1: expected one of the authority ${wrong}, got one of ${fingerprint}`
    await expect(call(list('--server-fingerprint', wrong))).rejects.toThrow(`${url} cannot be reached: ${known}`)
    await expect(call(['image', 'verify', 'web', '--server', url, '--server-fingerprint', wrong])).rejects.toThrow(known)
    await expect(call(list())).rejects.toThrow(
      `${url} shows a certificate of an authority that is not known here; expected its fingerprint in --server-fingerprint or INGOT_FINGERPRINT, got none; \`ingot tls show\` tells it on that host`,
    )
    await expect(call(list('--server-fingerprint', 'abc'))).rejects.toThrow('--server-fingerprint: expected a fingerprint like sha256:9f86…, which `ingot tls show` tells, got "abc"')
    await expect(call(['job', 'list', '--server', server.url], { INGOT_FINGERPRINT: fingerprint })).rejects.toThrow(`INGOT_FINGERPRINT: expected a server of HTTPS beside it, got ${server.url}`)
  })

  test('tls show tells the fingerprint and when the certificates end', async () => {
    const ends = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string
    expect(JSON.parse(await call(['tls', 'show', '--data', data, '--json']))).toMatchObject({ fingerprint: server.https.fingerprint, authority: { path: authority(), endsAt: ends }, certificate: { endsAt: ends, names: expect.arrayContaining(['127.0.0.1', 'localhost']) as string[] } })
    expect((await call(['tls', 'show', '--data', data])).split('\n')[0]).toBe(server.https.fingerprint)
    await expect(call(['tls', 'show', '--data', '/nowhere'])).rejects.toThrow('/nowhere/tls/authority.crt: expected a certificate, which `ingot serve` makes when it starts, got no file')
    await expect(call(['tls', 'show'])).rejects.toThrow('expected --data DIR or --config FILE, got neither')
  })
})

/** Runs a worker until it has claimed a job, and tells which server it took it from. */
async function claimBy(boot: { server: string; fingerprint: string; ticket: string }): Promise<string> {
  const stop = new AbortController()
  const claimed = Promise.withResolvers<string>()
  const ended = runWorker({
    boot,
    takeInventory: async () => inventory({ id: '52-54-00-12-34-56' }),
    readDisks: async () => [],
    fetchBy: (fingerprint) => (fingerprint === undefined ? Promise.reject(new Error('plain HTTP')) as never : createPinnedFetch(fingerprint)),
    perform: async ({ held }) => {
      claimed.resolve(held.server.url)
      stop.abort()
      return { state: 'performed' }
    },
    takeDown: async () => {},
    signal: stop.signal,
    stateDirectory: await testFolder(),
    log,
  })
  ended.catch(claimed.reject)
  const url = await claimed.promise
  await ended
  return url
}

test('B13 B15 a worker exchanges its ticket and claims its job by HTTPS, from the address and by the fingerprint that it was told; apt is sent to plain HTTP', async () => {
  const tokens = openTokens(data)
  const ticket = await tokens.createTicket('52-54-00-12-34-56', 60)
  expect(await claimBy({ server: server.https.url, fingerprint: server.https.fingerprint, ticket })).toBe(server.https.url)
  const ask = createPinnedFetch(server.https.fingerprint)
  const worker = await tokens.create({ role: 'worker', name: 'w' })
  const told = await ask(`${server.https.url}/machines/52-54-00-00-00-01.json`, { method: 'PUT', headers: { authorization: `Bearer ${worker}`, 'content-type': 'application/json' }, body: JSON.stringify(inventory()) })
  expect(await told.json()).toEqual({ scratchSerials: [], packagesUrl: `${server.url}/packages` })
})

test('B19 a master speaks with its first computers by HTTPS, and a wrong fingerprint is an outage that says so', async () => {
  const tokens = openTokens(data)
  const credentials = { worker: await tokens.create({ role: 'worker', name: 'master' }), operator: await tokens.create({ role: 'operator', name: 'master' }) }
  const open = async (fingerprint: string) => {
    const dataDirectory = await testFolder()
    const master = await startMaster({ config: { dataDirectory, listen: { address: '127.0.0.1', port: 0 }, tls: { port: 0, names: [] }, openMetrics: false, firstComputers: [{ name: 'a', url: server.https.url, fingerprint, credentials }] }, log, run })
    const operator = await openTokens(dataDirectory).create({ role: 'operator', name: 'ci' })
    const ask = async (path: string) => (await createPinnedFetch(master.https!.fingerprint)(`${master.https!.url}${path}`, { headers: { authorization: `Bearer ${operator}` } })).json()
    try {
      return { list: await ask('/jobs.json'), recipes: await ask('/recipes.json') }
    } finally {
      await master.close()
    }
  }
  expect(await open(server.https.fingerprint)).toMatchObject({ list: { jobs: [{ id: 'a.a' }] } })
  const wrong = `sha256:${'0'.repeat(64)}`
  expect(JSON.stringify(await open(wrong))).toContain(`expected one of the authority ${wrong}, got one of ${server.https.fingerprint}`)
})

test('with tls: off there is plain HTTP alone, and no authority is made', async () => {
  const folder = await testFolder()
  const config = parseConfig(JSON.stringify({ data: folder, listen: '127.0.0.1:0', tls: 'off' }), join(folder, 'ingot.yaml'))
  const plain = await startFirstComputer({ config, log, run, start })
  expect(plain.https).toBeUndefined()
  expect((await fetch(`${plain.url}/authority.crt`)).status).toBe(404)
  await plain.close()
  await expect(run('ls', [join(folder, 'tls')])).rejects.toThrow()
})

test('a port of HTTPS that is taken is told by its field, and the server does not stay up by halves', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port: number } = taken.address() as { port: number }
  const folder = await testFolder()
  const config = parseConfig(JSON.stringify({ data: folder, listen: '127.0.0.1:0', tls: { port: number } }), join(folder, 'ingot.yaml'))
  await expect(startFirstComputer({ config, log, run, start })).rejects.toThrow(`tls.port: 127.0.0.1:${number} is taken by another program`)
  taken.close()
})

describe('a server shows another certificate without a restart', () => {
  const openAt = async (config: object, now?: () => number) => {
    const folder = await testFolder()
    const parsed = parseConfig(JSON.stringify({ data: folder, listen: '127.0.0.1:0', tls: {}, ...config }), join(folder, 'ingot.yaml'))
    const app = createApp({ log })
    const tls = await openTls({ config: parsed.tls!, dataDirectory: folder, address: '127.0.0.1', run, ...(now === undefined ? {} : { now }) })
    const service = createHttpsService(app, { tls, port: 0, log })
    await service.listen({ address: '127.0.0.1', port: 0 })
    const serial = async () => /serial=(\w+)/.exec(await run('sh', ['-c', 'openssl s_client -connect "127.0.0.1:$1" </dev/null 2>/dev/null | openssl x509 -noout -serial', 'sh', String(service.port)]))![1]
    return { app, service, serial }
  }

  test('its own, in good time before it ends, and then stays the same', async () => {
    let laterMs = 0
    const { app, service, serial } = await openAt({}, () => Date.now() + laterMs)
    const first = await serial()
    await service.renew()
    expect(await serial()).toBe(first)
    laterMs = 340 * 86_400_000
    await service.renew()
    expect(await serial()).not.toBe(first)
    await app.close()
  })

  test('one that it was given, when that was replaced, and goes on with the old one when the new one is unfit', async () => {
    const folder = await testFolder()
    const { certificate, key } = await makeGiven(folder, 'given')
    const { app, service, serial } = await openAt({ tls: { certificate, key } })
    const first = await serial()
    await makeGiven(folder, 'given', { key })
    await service.renew()
    const second = await serial()
    expect(second).not.toBe(first)
    await writeFile(certificate, 'nonsense')
    await service.renew()
    expect(await serial()).toBe(second)
    await app.close()
  })
})
