import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { run } from '../../../../appliance/run.ts'
import { startTftpServer, type SentFile, type TftpEvent } from '../../../../server/netboot/tftp/server.ts'

let directory: string
let port: number
let close: () => Promise<void>
let sent: SentFile[]
let told: TftpEvent[]
/** More than 65,535 blocks of 512 bytes, and a last one that is full. */
const large = randomBytes(33 * 1024 * 1024)
const small = randomBytes(74_213)

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-tftp-'))
  await writeFile(join(directory, 'large'), large)
  const files = new Map([
    ['boot/large', { path: join(directory, 'large') }],
    ['small', { bytes: small }],
    ['gone', { path: join(directory, 'gone') }],
  ])
  sent = []
  told = []
  ;({ port, close } = await startTftpServer({
    address: '127.0.0.1',
    port: 0,
    mtuBytes: 1500,
    files,
    onEvent(event) {
      told.push(event)
      if (event.hop === 'tftp') sent.push(event)
    },
    log: pino({ level: 'silent' }),
  }))
})
afterEach(async () => {
  await close()
  await rm(directory, { recursive: true })
})

const fetched = () => readFile(join(directory, 'fetched'))
const clients = {
  'curl without options': (name: string) =>
    run('curl', ['-sS', '--tftp-no-options', '-o', join(directory, 'fetched'), `tftp://127.0.0.1:${port}/${name}`]),
  'curl with blocks of 1428 bytes': (name: string) =>
    run('curl', ['-sS', '--tftp-blksize', '1428', '-o', join(directory, 'fetched'), `tftp://127.0.0.1:${port}/${name}`]),
  'atftp with options, windows among them': (name: string) =>
    run('atftp', ['--option', 'blksize 1428', '--option', 'windowsize 8', '--option', 'tsize 0', '--option', 'timeout 3', '--get', '-r', name, '-l', join(directory, 'fetched'), '127.0.0.1', String(port)]),
  'tftp-hpa': (name: string) => run('tftp', ['-m', 'binary', '127.0.0.1', String(port), '-c', 'get', name, join(directory, 'fetched')]),
}

it.each(Object.entries(clients))('%s fetches a file, under a name with slashes in front', async (_, get) => {
  await get('//small')
  expect((await fetched()).equals(small)).toBe(true)
})

it('a file of 33 MiB goes through, though the block numbers begin anew in it', async () => {
  await clients['tftp-hpa']('boot/large')
  expect((await fetched()).equals(large)).toBe(true)
  await expect.poll(() => sent).toMatchObject([{ file: 'boot/large', bytes: large.length, address: '127.0.0.1' }])
})

it('many clients at once each get their file', async () => {
  const get = (index: number) => run('curl', ['-sS', '-o', join(directory, String(index)), `tftp://127.0.0.1:${port}/small`])
  await Promise.all(Array.from({ length: 8 }, (_, index) => get(index)))
  for (let index = 0; index < 8; index++) expect((await readFile(join(directory, String(index)))).equals(small)).toBe(true)
})

describe('what is refused', () => {
  it.each([
    ['unknown', 'nothing'],
    ['outside', '../../etc/passwd'],
    ['of the host, by its path', '/etc/passwd'],
  ])('a name that is %s is not found', async (_, name) => {
    // curl exits with 68 for TFTP's code 1, file not found.
    await expect(run('curl', ['-sS', '--path-as-is', `tftp://127.0.0.1:${port}/${name}`])).rejects.toMatchObject({ exitCode: 68 })
  })
  it('an upload', async () => {
    await writeFile(join(directory, 'mine'), 'x')
    // 71: illegal TFTP operation
    await expect(run('curl', ['-sS', '-T', join(directory, 'mine'), `tftp://127.0.0.1:${port}/small`])).rejects.toMatchObject({
      exitCode: 71,
    })
  })
  it('text mode', async () => {
    await run('tftp', ['-m', 'ascii', '127.0.0.1', String(port), '-c', 'get', 'small', join(directory, 'fetched')]).catch(() => undefined)
    expect(sent).toEqual([])
  })
})

it('answers from the address that was asked', async () => {
  const files = new Map([['small', { bytes: small }]])
  const other = await startTftpServer({ address: '127.0.0.3', port: 0, mtuBytes: 1500, files, onEvent: () => undefined, log: pino({ level: 'silent' }) })
  const client = createSocket('udp4')
  const from = new Promise<string>((resolve) => client.on('message', (_, { address }) => resolve(address)))
  client.send(Buffer.from('\0\x01small\0octet\0'), other.port, '127.0.0.3')
  expect(await from).toBe('127.0.0.3')
  client.close()
  await other.close()
})

it('a port that is taken is an error that says so', async () => {
  const again = startTftpServer({
    address: '127.0.0.1',
    port,
    mtuBytes: 1500,
    files: new Map(),
    onEvent: () => undefined,
    log: pino({ level: 'silent' }),
  })
  await expect(again).rejects.toMatchObject({
    code: 'port-in-use',
    message: expect.stringContaining(`UDP port ${port} (TFTP) on 127.0.0.1 is in use`) as string,
  })
})

describe('F8 what happens to a file is told', () => {
  const address = '127.0.0.1'
  it('asked for, and sent with bytes and time', async () => {
    await clients['curl without options']('small')
    await expect.poll(() => told).toEqual([{ hop: 'tftp-asked', file: 'small', found: true, address }, { hop: 'tftp', file: 'small', bytes: small.length, ms: expect.any(Number) as number, address }])
  })
  it('asked for and not there', async () => {
    await expect(clients['curl without options']('pxelinux.0')).rejects.toThrow()
    expect(told).toEqual([{ hop: 'tftp-asked', file: 'pxelinux.0', found: false, address }])
  })
  it('broken off by the client, with its words; asked for again from the same port, and never acknowledged', { timeout: 30_000 }, async () => {
    const socket = createSocket('udp4')
    const request = Buffer.from('\0\x01small\0octet\0', 'latin1')
    const answers: { port: number }[] = []
    socket.on('message', (_, from) => void answers.push(from))
    for (let asked = 1; asked <= 3; asked++) socket.send(request, port, address)
    await expect.poll(() => told, { timeout: 20_000 }).toEqual([{ hop: 'tftp-asked', file: 'small', found: true, address }, { hop: 'tftp-stalled', file: 'small', block: 1, asked: 3, address }])
    socket.send(Buffer.from('\0\x05\0\x03disk full\0', 'latin1'), answers[0]!.port, address)
    await expect.poll(() => told.at(-1)).toEqual({ hop: 'tftp-refused', file: 'small', message: 'disk full', address })
    socket.close()
  })
})
