import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const ingot = join(import.meta.dirname, '../../../server/ingot')
const call = (...args: string[]) => spawnSync(ingot, args, { encoding: 'utf8', env: { PATH: process.env.PATH } })

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-cli-'))
})
afterEach(() => rm(directory, { recursive: true }))

describe('help and mistakes', () => {
  test('--help names every command and exits with 0', () => {
    const { status, stdout } = call('--help')
    expect(status).toBe(0)
    for (const command of ['serve', 'appliance', 'job', 'image', 'machine', 'token', 'doctor', 'demo']) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'))
  })

  test('who reads only the beginning, like `head`, sees no stack', () => {
    const { stdout, stderr } = spawnSync('sh', ['-c', `"$0" job add --help | true; "$0" --help | head -n 1`, ingot], { encoding: 'utf8', env: { PATH: process.env.PATH } })
    expect([stdout, stderr]).toEqual([expect.stringMatching(/^Usage: ingot .*\n$/), ''])
  })

  test('--version tells the version of the package', () => {
    expect(call('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  test.each([
    [['serv'], /unknown command 'serv'.*serve/s],
    [['serve'], /expected --config FILE, or --no-netboot/],
    [['serve', '--no-netboot', '--data', '/tmp/x'], /expected --listen ADDRESS:PORT/],
    [['serve', '--config', '/nowhere/ingot.yaml'], /cannot be read/],
    [['token', 'create', '--role', 'king', '--data', '/tmp/x'], /worker, viewer, operator, admin/],
    [['token', 'create', '--role', 'viewer', '--data', '/tmp/x', '--name', 'a\nb'], /1 to 100 printable characters, got "a\\nb"/],
    [['token', 'revoke', 'nobody', '--data', '/nowhere'], /the id or name of one that `ingot token list` shows, got "nobody"/],
    [['job', 'add', 'debian-12'], /INGOT_SERVER/],
  ])('%j is one clear message without a stack, and exit code 2', (args, message) => {
    const { status, stderr } = call(...args)
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/^ +at /m)
    expect(status).toBe(2)
  })

  test('every wrong field of a configuration is told at once, before a socket opens', async () => {
    const file = join(directory, 'ingot.yaml')
    await writeFile(file, 'data: d\nlisten: 127.0.0.1:http\nnetboot:\n  interfase: eth9\n  range: 10.0.0.1-10.0.0.2\n')
    const { status, stderr } = call('serve', '--config', file)
    expect(status).toBe(2)
    expect(stderr).toContain('listen: expected an address and a port like 192.0.2.1:8080, got "127.0.0.1:http"')
    expect(stderr).toContain('netboot.interfase: expected a known key (nearest: interface;')
    expect(stderr).toContain('netboot.interface: expected a value, got nothing')
  })
})

describe('exit codes', { timeout: 120_000 }, () => {
  test.each([
    [0, ['completion', 'bash']],
    [1, ['appliance', 'show', '--out', '/nowhere']],
    [2, ['recipe', 'list', '--jsno']],
  ])('%i of %j', (code, args) => {
    expect(call(...args).status).toBe(code)
  })

  test.each([
    ['job', 'log', 'a', '--follow'],
    ['job', 'list'],
    ['machine', 'show', '52-54-00-12-34-56'],
    ['image', 'verify', 'web', '--key', 'key.pub'],
  ])('130 of what Ctrl-C stops, also while no answer comes: %s %s', async (...args) => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const asked = once(silent, 'connection')
    const address = `http://127.0.0.1:${(silent.address() as { port: number }).port}`
    await writeFile(join(directory, 'key.pub'), generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }))
    const child = spawn(ingot, [...args, '--server', address], { cwd: directory, stdio: 'ignore', env: { PATH: process.env.PATH, INGOT_TOKEN: 'x' } })
    await asked
    child.kill('SIGINT')
    const [code] = await once(child, 'exit')
    silent.close()
    expect(code).toBe(130)
  })
})

describe('serve --no-netboot', () => {
  let server: ChildProcess | undefined
  afterEach(async () => {
    if (server === undefined || server.exitCode !== null) return
    server.kill('SIGTERM')
    await once(server, 'exit')
  })

  const freePort = async () => {
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address() as { port: number }
    probe.close()
    return port
  }
  const startServer = async () => {
    const url = `127.0.0.1:${await freePort()}`
    server = spawn(ingot, ['serve', '--no-netboot', '--data', directory, '--listen', url], { stdio: ['ignore', 'inherit', 'pipe'] })
    for await (const chunk of server.stderr!) if (String(chunk).includes('first computer up')) break
    return url
  }

  test('is a job server that a worker can follow with curl and the token that `token create` printed', async () => {
    await writeFile(join(directory, 'jobs.json'), '{"version":1,"jobs":[{"id":"one","recipe":"debian-12"}]}')
    const url = await startServer()
    const token = call('token', 'create', '--role', 'worker', '--data', directory).stdout.trim()
    const curl = (...args: string[]) =>
      spawnSync('curl', ['--silent', '--write-out', ' %{http_code}', '--header', `Authorization: Bearer ${token}`, ...args], { encoding: 'utf8' }).stdout
    expect(curl(`http://${url}/jobs.json`)).toMatch(/"id":"one".* 200$/)
    expect(curl(`http://${url}/status/one.json`)).toMatch(/ 404$/)
    const claim = ['--request', 'PUT', '--header', 'If-None-Match: *', '--json', '{"worker":"curl"}', `http://${url}/status/one.json`]
    expect(curl(...claim)).toMatch(/"worker":"curl".* 201$/)
    expect(curl(...claim)).toMatch(/ 412$/)
  })

  test('its first start makes an admin token, says in which file it is and not what it is', async () => {
    const port = await freePort()
    server = spawn(ingot, ['serve', '--no-netboot', '--data', directory, '--listen', `127.0.0.1:${port}`], { stdio: ['ignore', 'inherit', 'pipe'] })
    let said = ''
    for await (const chunk of server.stderr!) if ((said += String(chunk)).includes('first computer up')) break
    expect(said).toContain(`"file":"${join(directory, 'admin-token')}"`)
    const token = (await readFile(join(directory, 'admin-token'), 'utf8')).trim()
    expect(said).not.toContain(token)
    const { stdout } = call('token', 'list', '--data', directory)
    expect(stdout).toMatch(/^[0-9a-f]{12} +admin +first-start /m)
    expect(stdout).not.toContain(token.slice(-6))
    const ask = async () => (await fetch(`http://127.0.0.1:${port}/session`, { headers: { authorization: `Bearer ${token}` } })).status
    expect(await ask()).toBe(200)
    expect(call('token', 'revoke', 'first-start', '--data', directory).status).toBe(0)
    await expect.poll(ask, { timeout: 20_000 }).toBe(401)
  })

  test('B5 follows the rules of its configuration: a recipe that appears is looked at, and told of while it is broken', async () => {
    await mkdir(join(directory, 'recipes/web'), { recursive: true })
    const config = join(directory, 'ingot.yaml')
    await writeFile(config, `data: data\nlisten: 127.0.0.1:${await freePort()}\nrecipes: [recipes]\nlists: [{ recipe: web, when: changed }]\n`)
    server = spawn(ingot, ['serve', '--config', config], { stdio: ['ignore', 'inherit', 'pipe'] })
    let said = ''
    for await (const chunk of server.stderr!) if ((said += String(chunk)).includes('a rule makes no job until this is mended')) break
    expect(said).toContain('"madeBy":"changed:web"')
  })

  test('ends at once and with 0 when it is told to, also while someone follows its events', async () => {
    const url = await startServer()
    const token = call('token', 'create', '--role', 'operator', '--data', directory).stdout.trim()
    const follower = spawn('curl', ['--silent', '--no-buffer', '--header', `Authorization: Bearer ${token}`, `http://${url}/events`], { stdio: 'ignore' })
    await new Promise((resolve) => setTimeout(resolve, 300))
    server!.kill('SIGTERM')
    const [code] = await once(server!, 'exit')
    expect(code).toBe(0)
    if (follower.exitCode === null) await once(follower, 'exit')
  })

  test('a port that is taken is told with how to find by whom', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    const { status, stderr } = call('serve', '--no-netboot', '--data', directory, '--listen', `127.0.0.1:${port}`)
    taken.close()
    expect(status).toBe(2)
    expect(stderr).toContain(`127.0.0.1:${port} is taken by another program`)
  })
})
