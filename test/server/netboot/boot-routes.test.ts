import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KnownAtBoot } from '../../../boot/choose-boot.ts'
import { renderLocalDiskScript, renderWaitScript, renderWorkerScript } from '../../../boot/ipxe-script.ts'
import { ipxeScriptUrl } from '../../../boot/offer.ts'
import type { NewMachineEvent } from '../../../server/event-log.ts'
import { createApp } from '../../../server/http/app.ts'
import { bootRoutes } from '../../../server/netboot/boot-routes.ts'

const machine = '02-00-00-00-00-01'
const httpUrl = 'http://10.77.0.1:8080'
const stage2Digest = `sha256:${'0'.repeat(64)}`
const kernel = Buffer.alloc(300_000, 'kernel')

let directory: string
let app: FastifyInstance
let url: string
let events: NewMachineEvent[]
let known: string | undefined
let knownAtBoot: KnownAtBoot
let waiting: string[]
let notHere: string | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot boot '))
  const path = (name: string) => join(directory, name)
  await writeFile(path('kernel'), kernel)
  events = []
  known = machine
  knownAtBoot = { hasWork: true, isAdmitted: true }
  waiting = []
  notHere = undefined
  app = createApp({ log: pino({ level: 'silent' }) })
  await app.register(bootRoutes, {
    httpUrl,
    appliance: { kernel: path('kernel'), initramfs: path('missing'), stage2: path('kernel'), inventory: path('kernel') },
    stage2Digest,
    bootFiles: new Map([
      ['snponly.efi', { path: path('kernel') }],
      ['autoexec.ipxe', { bytes: Buffer.from('#!ipxe\n') }],
    ]),
    issueTicket: async (of) => `ticket-of-${of}`,
    knownAtBoot: async () => knownAtBoot,
    onWaiting: async (id, address) => void waiting.push(`${id} ${address}`),
    machineAt: (address) => (address === '127.0.0.1' ? known : undefined),
    whyNotAt: (_, address) => (address === '127.0.0.1' ? notHere : undefined),
    emit: (event) => void events.push(event),
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
})
afterEach(async () => {
  await app.close()
  await rm(directory, { recursive: true })
})

/** An answer without its body, as it was on the wire: `fetch` changes headers on the way. */
const head = (path: string, method = 'HEAD', headers: Record<string, string> = {}) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest(`${url}${path}`, { method, headers }, (answer) => resolve(answer.resume()))
      .on('error', reject)
      .end()
  })

describe('/boot/ipxe', () => {
  it('is the script of the asking machine, with a ticket of its own', async () => {
    const answer = await fetch(`${url}/boot/ipxe?mac=${machine}&uuid=&platform=pcbios`)
    expect(await answer.text()).toBe(renderWorkerScript({ httpUrl, stage2Digest, ticket: `ticket-of-${machine}` }))
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(events).toEqual([{ machine, hop: 'boot-script', address: '127.0.0.1' }])
  })
  it('F6 a machine that an image was deployed to boots its disk, until a job is pushed to it', async () => {
    const ask = async () => (await fetch(`${url}/boot/ipxe?mac=${machine}&uuid=&platform=efi`)).text()
    knownAtBoot = { hasWork: true, isAdmitted: true, system: { image: 'web', version: 'web-1' } }
    const why = 'web:web-1 was deployed to it'
    expect(await ask()).toBe(renderLocalDiskScript(why))
    expect(events).toEqual([{ machine, hop: 'local-disk', address: '127.0.0.1', why }])
    knownAtBoot = { ...knownAtBoot, assignedJob: 'web-2' }
    expect(await ask()).toContain(`ticket-of-${machine}`)
  })
  it('of a machine that is not admitted holds no ticket, and asks again', async () => {
    knownAtBoot = { hasWork: true, isAdmitted: false }
    expect(await (await fetch(`${url}/boot/ipxe?mac=${machine}&uuid=&platform=efi`)).text()).toBe(renderWaitScript(machine, ipxeScriptUrl(httpUrl)))
    expect(waiting).toEqual([`${machine} 127.0.0.1`])
    expect(events).toEqual([])
  })
  it('F6 a machine that no job is for boots its disk, where it is set so', async () => {
    knownAtBoot = { hasWork: false, isAdmitted: true }
    const why = 'no job is for it'
    for (let asked = 0; asked < 3; asked++) expect(await (await fetch(`${url}/boot/ipxe?mac=${machine}&uuid=&platform=pcbios`)).text()).toBe(renderLocalDiskScript(why))
    expect(events).toEqual(Array.from({ length: 3 }, () => ({ machine, hop: 'local-disk', address: '127.0.0.1', why })))
  })
  it('is refused to an address that the machine does not have, and told of', async () => {
    notHere = 'it was given 10.77.0.100'
    const answer = await fetch(`${url}/boot/ipxe?mac=${machine}&uuid=&platform=efi`)
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining(`127.0.0.1 asks what ${machine} is to boot, and it was given 10.77.0.100`) as string])
    expect(events).toEqual([{ machine, hop: 'script-refused', address: '127.0.0.1', why: notHere }])
  })
  it('asked without a MAC is the script that finds out', async () => {
    expect(await (await fetch(`${url}/boot/ipxe`)).text()).toContain(`chain --replace ${httpUrl}/boot/ipxe?mac=\${netX/mac:hexhyp}`)
    expect(events).toEqual([])
  })
  it.each(['02:00:00:00:00:01', 'x', '02-00-00-00-00-01%20init=/bin/sh'])(
    'asked with %s is refused, with what was expected',
    async (mac) => {
      const answer = await fetch(`${url}/boot/ipxe?mac=${mac}`)
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({
        title: expect.stringContaining('mac: expected a MAC address such as 52-54-00-12-34-56') as string,
      })
    },
  )
})

describe('files', () => {
  it('go out whole, and become an event of the machine', async () => {
    const answer = await fetch(`${url}/boot/vmlinuz`)
    expect(Buffer.from(await answer.arrayBuffer()).equals(kernel)).toBe(true)
    await expect.poll(() => events).toEqual([{ machine, hop: 'kernel', bytes: kernel.length, ms: expect.any(Number) as number }])
  })
  it('for UEFI HTTP boot become an event too', async () => {
    await (await fetch(`${url}/boot/autoexec.ipxe`)).text()
    await expect.poll(() => events).toEqual([{ machine, hop: 'http', file: 'autoexec.ipxe', bytes: 7, ms: expect.any(Number) as number }])
  })
  it('F8 that a machine does not take to their end are told with how far they came', async () => {
    await writeFile(join(directory, 'kernel'), Buffer.alloc(64 * 1024 * 1024))
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write('GET /boot/vmlinuz HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'readable')
    socket.destroy()
    await expect.poll(() => events).toEqual([{ machine, hop: 'broken-off', file: 'kernel', bytes: expect.any(Number) as number, sizeBytes: 64 * 1024 * 1024 }])
    const [event] = events
    if (event?.hop === 'broken-off') expect(event.bytes).toBeLessThan(event.sizeBytes)
  })
  it('go out in part to one who resumes', async () => {
    const answer = await fetch(`${url}/boot/stage2.squashfs`, { headers: { range: 'bytes=299990-' } })
    expect([answer.status, answer.headers.get('content-range'), (await answer.arrayBuffer()).byteLength]).toEqual([
      206,
      'bytes 299990-299999/300000',
      10,
    ])
    await expect.poll(() => events).toMatchObject([{ hop: 'stage2', bytes: 10 }])
  })
  it('are no event of the machine when its worker fetches them', async () => {
    await (await fetch(`${url}/boot/inventory.squashfs`)).arrayBuffer()
    await (await fetch(`${url}/boot/vmlinuz`)).arrayBuffer()
    await expect.poll(() => events).toMatchObject([{ hop: 'kernel' }])
  })
  it('go out whole to fifty machines at once', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, async () => Buffer.from(await (await fetch(`${url}/boot/vmlinuz`)).arrayBuffer())))
    expect(answers.filter((bytes) => bytes.equals(kernel))).toHaveLength(50)
    await expect.poll(() => events).toHaveLength(50)
  })
  it('are refused in a part that they do not have, with their length', async () => {
    const answer = await fetch(`${url}/boot/vmlinuz`, { headers: { range: 'bytes=300000-' } })
    expect([answer.status, answer.headers.get('content-range')]).toEqual([416, 'bytes */300000'])
    expect(events).toEqual([])
  })
  it('go out as they are now when another has taken their place', async () => {
    const before = await head('/boot/vmlinuz')
    await writeFile(join(directory, 'kernel'), 'a newer kernel')
    const after = await fetch(`${url}/boot/vmlinuz`, { headers: { 'if-none-match': before.headers.etag ?? '' } })
    expect([after.status, await after.text()]).toEqual([200, 'a newer kernel'])
  })
  it('are not sent again to one who has them', async () => {
    const { etag = '' } = (await head('/boot/vmlinuz')).headers
    expect((await head('/boot/vmlinuz', 'GET', { 'if-none-match': etag })).statusCode).toBe(304)
    expect(events).toEqual([])
  })
  it('tell their length to HEAD, in a header spelled as firmware expects it', async () => {
    const raw = (await head('/boot/snponly.efi')).rawHeaders
    const headers = Object.fromEntries(Array.from({ length: raw.length / 2 }, (_, index) => raw.slice(index * 2, index * 2 + 2)))
    expect(headers).toMatchObject({ 'Content-Length': String(kernel.length), 'Content-Type': 'application/efi' })
    expect(events).toEqual([])
  })
  it('are served in place under a path with two slashes, without a redirect (smee #229)', async () => {
    const answers = [await head('//boot/snponly.efi'), await head('/boot//snponly.efi', 'GET')]
    expect(answers.map(({ statusCode, headers }) => [statusCode, headers['content-length']])).toEqual([
      [200, String(kernel.length)],
      [200, String(kernel.length)],
    ])
  })
  it('that are not there are not found, which firmware tells from forbidden', async () => expect((await head('/boot/mmx64.efi', 'GET')).statusCode).toBe(404))
  it('held in memory go out too', async () => expect(await (await fetch(`${url}/boot/autoexec.ipxe`)).text()).toBe('#!ipxe\n'))
  it('go to machines without a lease of ours, without an event', async () => {
    known = undefined
    await (await fetch(`${url}/boot/vmlinuz`)).arrayBuffer()
    await fetch(`${url}/boot/ipxe`)
    expect(events).toEqual([])
  })
  it("that are missing on this host are its fault and not the machine's", async () =>
    expect((await fetch(`${url}/boot/initramfs.img`)).status).toBe(500))
})
