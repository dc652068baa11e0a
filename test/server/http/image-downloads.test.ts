import { randomInt } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CommandError, run } from '../../../appliance/run.ts'
import { imageFormatNames } from '../../../server/image-store/export/open-image-file.ts'
import { digestOf, filled, sampleConfig, storeSample } from '../image-store/sample-image.ts'
import { cutOnce } from './cutting-proxy.ts'
import { curl } from './curl.ts'
import { startDownloadServer } from './download-server.ts'

const mib = 1024 * 1024

const setUp = async () => {
  const server = await startDownloadServer()
  const user = ['--user', `any:${server.operator}`]
  const ask = (path: string, options: string[] = []) => curl(`${server.url}${path}`, [...user, ...options])
  return { ...server, user, ask }
}
const at = (format: string) => `/images/debian-12/job-1/disk.${format}`

describe('a download', () => {
  test.each(imageFormatNames)('disk.%s comes whole, with its size, its validator and a name, and HEAD tells the same', async (format) => {
    const { ask, read, image } = await setUp()
    const expected = await read(format)
    const got = await ask(at(format))
    expect([got.status, got.body.equals(expected)]).toEqual([200, true])
    expect(got.headers).toMatchObject({ 'content-length': String(expected.length), 'accept-ranges': 'bytes', 'content-disposition': `attachment; filename="debian-12-job-1.${format}"` })
    expect(got.headers.etag).toMatch(new RegExp(`^"${format.replace('.', '\\.')}\\.1-sha256:[0-9a-f]{64}"$`))
    const head = await ask(at(format), ['--head'])
    for (const name of ['content-length', 'etag', 'content-type', 'accept-ranges', 'content-disposition']) expect(head.headers[name]).toBe(got.headers[name])
    expect((await ask(`/images/debian-12/${image.digest}/disk.${format}`)).body.equals(expected)).toBe(true)
  })

  test('needs the credential of a person; curl and wget are asked for it', async () => {
    const { url, viewer, ask } = await setUp()
    const refused = await curl(`${url}${at('raw')}`, ['--user', 'any:wrong'])
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Basic realm="Ingot", charset="UTF-8"'])
    expect((await curl(`${url}${at('raw')}`, ['--user', `any:${viewer}`])).status).toBe(200)
    expect((await curl(`${url}${at('raw')}`, ['--user', '', '--header', `authorization: Bearer ${viewer}`])).status).toBe(200)
    expect((await ask(at('raw'))).headers['www-authenticate']).toBeUndefined()
  })

  test.each([
    ['/images/debian-12/job-9/disk.raw', 404, 'no image debian-12:job-9 has been published'],
    ['/images/other/job-1/disk.raw', 404, 'no image other:job-1 has been published'],
    ['/images/debian-12/job-1/disk.vmdk', 400, 'disk.raw'],
    ['/images/..%2Fdebian-12/job-1/disk.raw', 400, 'name'],
    ['/images/debian-12/..%2Fjob-1/disk.raw', 400, 'version'],
  ])('%s is refused with %i', async (path, status, text) => {
    const { ask } = await setUp()
    const refused = await ask(path)
    expect([refused.status, refused.body.toString()]).toEqual([status, expect.stringContaining(text)])
  })

  test('of the latest version leads to that version, so that the parts of it are of one', async () => {
    const { ask, url, user, read, store } = await setUp()
    const redirect = await ask('/images/debian-12/latest/disk.raw')
    expect([redirect.status, redirect.headers.location, redirect.headers['cache-control']]).toEqual([302, at('raw'), 'no-store'])
    expect((await curl(`${url}/images/debian-12/latest/disk.qcow2`, [...user, '--location'])).body.equals(await read('qcow2'))).toBe(true)
    await store.publish('debian-12', 'job-2', (await storeSample(store, [filled(0, 2)], sampleConfig({ job: 'job-2' }))).bytes)
    expect((await ask('/images/debian-12/latest/disk.raw')).headers.location).toBe('/images/debian-12/job-2/disk.raw')
  })
})

describe('ranges', () => {
  test('a part of any format is that part, also where chunks meet; what goes beyond the end is cut', async () => {
    const { ask, read } = await setUp()
    for (const format of imageFormatNames) {
      const whole = await read(format)
      const edges = [0, mib - 1, mib, 2 * mib, 3 * mib - 1, whole.length - 1, randomInt(whole.length)].filter((edge) => edge < whole.length)
      for (const first of edges) {
        const last = Math.min(whole.length - 1, first + randomInt(1, 2 * mib))
        const got = await ask(at(format), ['--range', `${first}-${last + (last === whole.length - 1 ? 1000 : 0)}`])
        expect([got.status, got.headers['content-range']]).toEqual([206, `bytes ${first}-${last}/${whole.length}`])
        expect(got.body.equals(whole.subarray(first, last + 1))).toBe(true)
      }
      const tail = await ask(at(format), ['--range', '-700'])
      expect([tail.status, tail.body.equals(whole.subarray(-700))]).toEqual([206, true])
    }
  })

  test('beyond the end is refused with 416 and the size; several at once, and those of HEAD, are not heeded', async () => {
    const { ask, read } = await setUp()
    const { length } = await read('raw')
    const beyond = await ask(at('raw'), ['--range', `${length}-`])
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, `bytes */${length}`])
    expect((await ask(at('raw'), ['--range', '0-1,5-6'])).status).toBe(200)
    const head = await ask(at('raw'), ['--head', '--range', '0-1'])
    expect([head.status, head.headers['content-length']]).toEqual([200, String(length)])
  })

  test('If-Range, If-None-Match and If-Match count with the validator of this format and no other', async () => {
    const { ask } = await setUp()
    const etag = (await ask(at('raw'), ['--head'])).headers.etag!
    const other = (await ask(at('qcow2'), ['--head'])).headers.etag!
    const status = async (...headers: string[]) => (await ask(at('raw'), headers.flatMap((header) => ['--header', header]))).status
    expect(await status('range: bytes=5-9', `if-range: ${etag}`)).toBe(206)
    expect(await status('range: bytes=5-9', `if-range: ${other}`)).toBe(200)
    expect(await status('range: bytes=5-9', 'if-range: Mon, 23 Nov 2026 10:00:00 GMT')).toBe(200)
    expect(await status(`if-none-match: ${other}, W/${etag}`)).toBe(304)
    expect(await status(`if-none-match: ${other}`)).toBe(200)
    expect(await status(`if-match: ${other}, ${etag}`)).toBe(200)
    expect(await status(`if-match: ${other}`)).toBe(412)
  })

  test('what is attached later makes another archive, whose parts do not mix with the first', async () => {
    const { ask, store, image } = await setUp()
    const before = (await ask(at('tar'), ['--head'])).headers.etag!
    const empty = Buffer.from('{}')
    await store.registry.blobs('debian-12').write(digestOf(empty), [empty])
    const described = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(empty), size: empty.length }
    const { mediaType } = image.manifest
    const subject = { mediaType, digest: image.digest, size: image.manifestBytes }
    const note = { schemaVersion: 2, mediaType, artifactType: 'text/x-note', config: described, layers: [described], subject }
    const bytes = Buffer.from(JSON.stringify(note))
    await store.putManifest('debian-12', 'note', bytes)
    expect((await ask(at('tar'), ['--head'])).headers.etag).not.toBe(before)
    expect((await ask(at('tar'), ['--header', 'range: bytes=512-', '--header', `if-range: ${before}`])).status).toBe(200)
  })
})

describe('F9 a download that is cut goes on where it ended', () => {
  const tools = {
    curl: (url: string, to: string, token: string) => ['curl', ['--silent', '--show-error', '--user', `any:${token}`, '--continue-at', '-', '--output', to, url]],
    wget: (url: string, to: string, token: string) => ['wget', ['--quiet', '--tries', '1', '--user', 'any', '--password', token, '--auth-no-challenge', '--continue', '--output-document', to, url]],
  } as const satisfies Record<string, (url: string, to: string, token: string) => readonly [string, string[]]>

  test.each(imageFormatNames.flatMap((format) => (['curl', 'wget'] as const).map((tool) => [format, tool] as const)))('disk.%s with %s', async (format, tool) => {
    const { url, directory, operator, read } = await setUp()
    const whole = await read(format)
    const afterBytes = randomInt(1000, whole.length - 1000)
    const proxy = await cutOnce(url, afterBytes)
    const to = join(directory, 'download')
    const [program, args] = tools[tool](`${proxy}${at(format)}`, to, operator)
    await expect(run(program, args)).rejects.toBeInstanceOf(CommandError)
    const { size } = await stat(to)
    expect(size).toBeLessThan(whole.length)
    await run(program, args)
    expect((await readFile(to)).equals(whole)).toBe(true)
    // Once more changes nothing.
    await run(program, args)
    expect((await readFile(to)).equals(whole)).toBe(true)
  })

  test('by wget alone, which asks again by itself', async () => {
    const { url, directory, operator, read } = await setUp()
    const whole = await read('raw')
    const proxy = await cutOnce(url, 4 * mib + 17)
    await run('wget', ['--quiet', '--tries', '3', '--waitretry', '0', '--user', 'any', '--password', operator, '--output-document', join(directory, 'got'), `${proxy}${at('raw')}`])
    expect((await readFile(join(directory, 'got'))).equals(whole)).toBe(true)
  })
})

describe('F2 a chunk that is damaged in the store', () => {
  const damage = async ({ directory, image }: Awaited<ReturnType<typeof setUp>>, index: number) => {
    const { digest } = image.manifest.layers[index]!
    const file = await open(join(directory, 'images/blobs/sha256', digest.slice(7)), 'r+')
    await file.write(Buffer.from('damaged'), 0, 7, 500)
    await file.close()
    return digest
  }

  test('breaks the download off before any of it is sent, and the log tells which', async () => {
    const server = await setUp()
    const digest = await damage(server, 3)
    for (const format of ['raw', 'qcow2'] as const) {
      const to = join(server.directory, format)
      await expect(run('curl', ['--silent', ...server.user, '--output', to, `${server.url}${at(format)}`])).rejects.toMatchObject({ exitCode: 18 })
      const { parts } = await server.open(format)
      const chunk = parts.find((part) => part.kind === 'chunk' && part.layer.digest === digest)!
      expect((await stat(to)).size).toBeLessThanOrEqual(chunk.startBytes)
    }
    expect(server.lines.join('')).toContain(`the chunk at byte ${6 * mib} of the disk is damaged: blob ${digest}`)
  })

  test('is told by the status when it is the first that is wanted', async () => {
    const server = await setUp()
    await damage(server, 3)
    const got = await server.ask(at('raw'), ['--range', `${6 * mib + 5}-`])
    expect([got.status, JSON.parse(got.body.toString())]).toEqual([500, expect.objectContaining({ title: expect.stringContaining(`the chunk at byte ${6 * mib} of the disk is damaged`) })])
    expect((await server.ask(at('raw'), ['--range', `0-${mib}`])).status).toBe(206)
  })
})
