import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openUploads } from '../../../server/image-store/upload-store.ts'
import { startImageServer } from './image-server.ts'
import { digestOf } from './sample-image.ts'

const folderOf = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-uploads-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}
const headers = { authorization: 'Bearer operator' }

/** Sends the head of a PATCH and a part of what it announces, and then says nothing more. */
const sendPart = async (url: string, location: string, part: Buffer, announcedBytes: number) => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer operator\r\nContent-Length: ${announcedBytes}\r\n\r\n`)
  socket.write(part)
  return socket
}

test('F9 an upload that was cut by a restart goes on at the byte that the server has', async () => {
  const directory = await folderOf()
  const bytes = randomBytes(1_000_000)
  const first = await startImageServer({ directory })
  onTestFinished(first.close)
  const location = (await fetch(`${first.url}/v2/library/debian/blobs/uploads/`, { method: 'POST', headers })).headers.get('location')!
  await sendPart(first.url, location, bytes.subarray(0, 400_000), bytes.length)
  await vi.waitFor(async () => expect((await fetch(`${first.url}${location}`, { headers })).headers.get('range')).toBe('0-399999'))
  await first.close()

  const second = await startImageServer({ directory })
  onTestFinished(second.close)
  const range = (await fetch(`${second.url}${location}`, { headers })).headers.get('range')
  expect(range).toBe('0-399999')
  const rest = bytes.subarray(400_000)
  const put = await fetch(`${second.url}${location}?digest=${digestOf(bytes)}`, { method: 'PUT', body: rest, headers: { ...headers, 'content-range': '400000-999999' } })
  expect(put.status).toBe(201)
  expect(Buffer.from(await (await fetch(`${second.url}${put.headers.get('location')}`, { headers })).arrayBuffer()).equals(bytes)).toBe(true)
})

test('F9 a sender that comes back while its old connection still hangs is not kept waiting', async () => {
  const server = await startImageServer()
  onTestFinished(server.close)
  const bytes = randomBytes(500_000)
  const location = (await fetch(`${server.url}/v2/x/blobs/uploads/`, { method: 'POST', headers })).headers.get('location')!
  const old = await sendPart(server.url, location, bytes.subarray(0, 200_000), bytes.length)
  await vi.waitFor(async () => expect((await fetch(`${server.url}${location}`, { headers })).headers.get('range')).toBe('0-199999'))
  const answer = once(old, 'data')
  const put = await fetch(`${server.url}${location}?digest=${digestOf(bytes)}`, { method: 'PUT', body: bytes.subarray(200_000), headers: { ...headers, 'content-range': '200000-499999' } })
  expect(put.status).toBe(201)
  expect(String((await answer)[0])).toMatch(/^HTTP\/1\.1 409 .*/)
})

test('an upload that nobody touched for a day is dropped, and not before', async () => {
  const folder = await folderOf()
  const uploads = await openUploads(folder)
  const [old, recent] = [await uploads.begin(), await uploads.begin()]
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000)
  await utimes(join(folder, old), hoursAgo(25), hoursAgo(25))
  await utimes(join(folder, recent), hoursAgo(23), hoursAgo(23))
  expect(await uploads.dropAbandoned()).toBe(1)
  expect(await readdir(folder)).toEqual([recent])
})

test('what a killed server left half written is gone when the next one opens the store, and what is being written is not', async () => {
  const directory = await folderOf()
  await mkdir(join(directory, 'uploads'))
  const names = { left: ['index.json.0123456789ab.tmp', 'uploads/left.part'], fresh: ['index.json.ba9876543210.tmp', 'uploads/fresh.part'] }
  for (const name of [...names.left, ...names.fresh]) await writeFile(join(directory, name), 'half')
  const elevenMinutesAgo = new Date(Date.now() - 660_000)
  for (const name of names.left) await utimes(join(directory, name), elevenMinutesAgo, elevenMinutesAgo)
  const server = await startImageServer({ directory })
  onTestFinished(server.close)
  const there = await readdir(directory, { recursive: true })
  expect([names.left.filter((name) => there.includes(name)), names.fresh.filter((name) => there.includes(name))]).toEqual([[], names.fresh])
})
