import { Transform } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { FastifyPluginAsync } from 'fastify'
import type { Logger } from 'pino'
import { perMinute } from '../http/per-minute.ts'
import { HttpProblem } from '../http/problem.ts'
import { createFetchSlots, type FetchSlotLimits } from './fetch-slots.ts'
import { openPackageArchive, type PackageArchiveOptions } from './package-archive.ts'

export interface PackageLimits extends FetchSlotLimits, Pick<PackageArchiveOptions, 'leastFreeBytes'> {
  /** Of one file. */
  fileBytes: number
  /** Files that one address may ask for in a minute, those that are here included. */
  ofOneClientPerMinute: number
  /** One who takes nothing for so long is cut off, in milliseconds. */
  stallMs: number
}

export interface PackageRoutesOptions extends Omit<PackageArchiveOptions, 'leastFreeBytes'> {
  limits?: Partial<PackageLimits>
  log: Logger
}

/** A machine that installs a desktop asks for 2000 packages; the largest of Debian have less than 4 GiB. */
const defaults: PackageLimits = {
  ...{ fileBytes: 8 * 2 ** 30, leastFreeBytes: 2 * 2 ** 30, ofOneClientPerMinute: 6000 },
  ...{ atOnce: 32, ofOneClient: 8, waitingOfOne: 64, stallMs: 120_000 },
}

const headersPassedOn = ['content-type', 'content-length', 'last-modified', 'etag']

/**
 * `GET /packages/<mirror>/<path>`: the package archives by way of this first computer, which keeps what it fetched, so that machines need
 * no route to the outside and a second build works without the outside network (F10). An index is asked for anew each time and, when the
 * mirror cannot be reached, taken as it was. Firmware and installers have no credential: whoever asks gets files of the configured archives, within limits.
 */
export const packageRoutes: FastifyPluginAsync<PackageRoutesOptions> = async (app, { mirrors, cacheDirectory, limits, log }) => {
  const { fileBytes, ofOneClientPerMinute, stallMs, leastFreeBytes, ...slotLimits } = { ...defaults, ...limits }
  const archive = openPackageArchive({ mirrors, cacheDirectory, leastFreeBytes })
  const slots = createFetchSlots(slotLimits)

  const config = { rateLimit: perMinute(ofOneClientPerMinute) }
  app.get<{ Params: { mirror: string; '*': string } }>('/packages/:mirror/*', { config }, async (request, reply) => {
    const { mirror, '*': path } = request.params
    const url = archive.urlOf(mirror, path)
    let kept = await archive.kept(url)
    if (kept === undefined) {
      const release = await slots.take(request.ip)
      if (request.raw.socket.destroyed) return release()
      // Its turn lasts until the last byte is sent, or it has gone.
      reply.raw.once('close', release)
      // Somebody else may have fetched it meanwhile.
      kept = await archive.kept(url)
    }
    const response = kept ?? (await archive.fetch(url))
    log.debug({ url, status: response.status, cache: response.headers.get('x-local-cache-status') }, 'package file served')
    const tooLarge = new HttpProblem(502, `${url} has more than ${fileBytes} bytes, which no file of an archive has`)
    if (Number(response.headers.get('content-length') ?? 0) > fileBytes) {
      response.body?.destroy()
      throw tooLarge
    }
    let bytes = 0
    const stalled = setTimeout(() => counted.destroy(new Error(`nothing of it went on for ${stallMs} ms`)), stallMs)
    const counted = new Transform({
      transform(chunk: Buffer, _, done) {
        bytes += chunk.length
        stalled.refresh()
        done(bytes > fileBytes ? tooLarge : null, chunk)
      },
    })
    response.body?.on('error', (error: Error) => counted.destroy(error))
    // What stops in the middle must not look as if it were whole, nor be kept.
    counted.once('error', (error) => log.warn({ url, err: error }, 'a package file is not sent to its end'))
    counted.once('close', () => {
      if (!counted.writableFinished) response.body?.destroy()
      if (!counted.readableEnded) reply.raw.destroy()
    })
    response.body?.pipe(counted)
    if (response.body === null) counted.end()

    reply.code(response.status)
    for (const name of headersPassedOn) {
      const value = response.headers.get(name)
      if (value !== null) reply.header(name, value)
    }
    if (request.method === 'HEAD' || response.status !== 200) {
      // The body is taken to its end all the same: the cache keeps only what was.
      await finished(counted.resume()).finally(() => clearTimeout(stalled))
      return reply.send()
    }
    reply.raw.once('close', () => {
      clearTimeout(stalled)
      counted.destroy()
    })
    return reply.send(counted)
  })
}
