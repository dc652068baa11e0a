import { PassThrough } from 'node:stream'
import type { FastifyPluginAsync } from 'fastify'
import type { Logger } from 'pino'
import makeFetchHappen from 'make-fetch-happen'
import { HttpProblem } from '../http/problem.ts'

export interface PackageRoutesOptions {
  /** Archives by the name they have in our paths, for example `{ debian: 'http://deb.debian.org/debian' }`. */
  mirrors: Record<string, string>
  /** Where fetched files are kept. */
  cacheDirectory: string
  log: Logger
}

/** Files whose name tells their content: never asked for again once they are here. */
const unchanging = /\/pool\/|\/by-hash\//

/** Characters that Debian's archive uses in paths (Debian Policy 5.6.1, 5.6.12; by-hash; epochs are not in file names). */
const archivePath = /^[A-Za-z0-9][A-Za-z0-9+.~_:%-]*(\/[A-Za-z0-9][A-Za-z0-9+.~_:%-]*)*$/

/**
 * `GET /packages/<mirror>/<path>`: the package archives by way of this first computer, which keeps what it fetched, so that machines need
 * no route to the outside and a second build works without the outside network (F10). An index is asked for anew each time and, when the
 * mirror cannot be reached, taken as it was.
 */
export const packageRoutes: FastifyPluginAsync<PackageRoutesOptions> = async (app, { mirrors, cacheDirectory, log }) => {
  const options = { cachePath: cacheDirectory, retry: { retries: 2, minTimeout: 200, maxTimeout: 1000 }, timeout: 60_000 }

  app.get<{ Params: { mirror: string; '*': string } }>('/packages/:mirror/*', async (request, reply) => {
    const { mirror, '*': path } = request.params
    const base = mirrors[mirror]
    if (base === undefined) throw new HttpProblem(404, `no package mirror '${mirror}' is configured, only ${Object.keys(mirrors).join(', ')}`)
    if (!archivePath.test(path)) throw new HttpProblem(400, 'path: expected a path of a package archive')
    const url = `${base.replace(/\/$/, '')}/${path}`
    const response = await makeFetchHappen(url, { ...options, cache: unchanging.test(`/${path}`) ? 'force-cache' : 'no-cache' }).catch((error: Error) => {
      throw new HttpProblem(502, `${url} cannot be fetched (${error.message}) and was not kept from an earlier time`)
    })
    log.debug({ url, status: response.status, cache: response.headers.get('x-local-cache-status') }, 'package file served')
    reply.code(response.status)
    for (const name of ['content-type', 'content-length', 'last-modified', 'etag']) {
      const value = response.headers.get(name)
      if (value !== null) reply.header(name, value)
    }
    if (request.method === 'HEAD' || response.status !== 200 || response.body === null) {
      // The body is drained all the same: the cache keeps only what was read to its end.
      await response.arrayBuffer()
      return reply.send()
    }
    return reply.send(response.body.pipe(new PassThrough()))
  })
}
