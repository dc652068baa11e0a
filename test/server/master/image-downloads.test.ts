import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CommandError, run } from '../../../appliance/run.ts'
import { cutOnce } from '../http/cutting-proxy.ts'
import { curl } from '../http/curl.ts'
import { startDownloadServer } from '../http/download-server.ts'
import { openMaster } from './open-master.ts'

const mib = 1024 * 1024

const setUp = async () => {
  const [a, b] = [await startDownloadServer(), await startDownloadServer()]
  const master = await openMaster({ a, b })
  const operator = await master.tokens.create({ role: 'operator', name: 'curl' })
  const ask = (path: string, options: string[] = []) => curl(`${master.url}${path}`, ['--user', `any:${operator}`, ...options])
  return { a, b, master, operator, ask }
}

test('B19 a version is downloaded by way of the master from the first computer that it is called after, whole, in parts and by HEAD', async () => {
  const { a, b, ask } = await setUp()
  for (const [name, server] of [['a', a], ['b', b]] as const) {
    const path = `/images/debian-12/${name}.job-1/disk.raw`
    const whole = await server.read('raw')
    const got = await ask(path)
    expect([got.status, got.body.equals(whole), got.headers['content-length']]).toEqual([200, true, String(whole.length)])
    const [first, last] = [mib - 5, 2 * mib + randomInt(mib)]
    const part = await ask(path, ['--range', `${first}-${last}`, '--header', `if-range: ${got.headers.etag}`])
    expect([part.status, part.headers['content-range'], part.body.equals(whole.subarray(first, last + 1))]).toEqual([206, `bytes ${first}-${last}/${whole.length}`, true])
    expect((await ask(path, ['--range', `${whole.length}-`])).status).toBe(416)
    expect((await ask(path, ['--header', `if-none-match: ${got.headers.etag}`])).status).toBe(304)
    expect(await ask(path, ['--head'])).toMatchObject({ status: 200, headers: { etag: got.headers.etag, 'content-length': String(whole.length) } })
  }
})

test('by its digest it comes from the first that has it, and the latest leads to a version in the names of the master', async () => {
  const { b, ask } = await setUp()
  expect((await ask(`/images/debian-12/${b.image.digest}/disk.qcow2`)).body.equals(await b.read('qcow2'))).toBe(true)
  expect((await ask('/images/debian-12/latest/disk.raw')).headers.location).toBe('/images/debian-12/a.job-1/disk.raw')
  expect((await ask('/images/debian-12/b.latest/disk.raw')).headers.location).toBe('/images/debian-12/b.job-1/disk.raw')
  expect((await ask('/images/debian-12/b.job-9/disk.raw')).status).toBe(404)
})

test('without a credential of the master it is asked for one', async () => {
  const { a, master } = await setUp()
  const refused = await curl(`${master.url}/images/debian-12/a.job-1/disk.raw`, ['--user', `any:${a.operator}`])
  expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Basic realm="Ingot", charset="UTF-8"'])
})

test('F9 what is cut between the master and the one who asks goes on where it ended', async () => {
  const { b, master, operator } = await setUp()
  const proxy = await cutOnce(master.url, 3 * mib + randomInt(mib))
  const to = join(b.directory, 'download')
  const args = ['--silent', '--fail', '--user', `any:${operator}`, '--continue-at', '-', '--output', to, `${proxy}/images/debian-12/b.job-1/disk.raw`]
  await expect(run('curl', args)).rejects.toBeInstanceOf(CommandError)
  await run('curl', args)
  expect((await readFile(to)).equals(await b.read('raw'))).toBe(true)
})
