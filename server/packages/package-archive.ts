import { mkdir, statfs } from 'node:fs/promises'
import makeFetchHappen, { type FetchOptions } from 'make-fetch-happen'
import { HttpProblem } from '../http/problem.ts'

export interface PackageArchiveOptions {
  /** Archives by the name they have in our paths, for example `{ debian: 'http://deb.debian.org/debian' }`. */
  mirrors: Record<string, string>
  /** Where fetched files are kept. */
  cacheDirectory: string
  /** With less space than this left on its disk nothing more is kept. */
  leastFreeBytes: number
}

type Fetched = Awaited<ReturnType<typeof makeFetchHappen>>
/** Its body is a stream of Minipass, which can be cut off. */
export type ArchiveResponse = Omit<Fetched, 'body'> & { body: (NodeJS.ReadableStream & { destroy(error?: Error): void }) | null }

const fetchFile = (url: string, options: FetchOptions): Promise<ArchiveResponse> => makeFetchHappen(url, options) as Promise<ArchiveResponse>

/** Files of the configured archives, from here or from there. */
export interface PackageArchive {
  /** Where a file is. Throws `HttpProblem` 404 for an archive that is not configured, 400 for what is no path in one. */
  urlOf(mirror: string, path: string): string
  /** A file that never changes and is here. */
  kept(url: string): Promise<ArchiveResponse | undefined>
  /** Asks the archive, and takes what is here when it does not answer; throws `HttpProblem` 502 when neither has it, or when it leads to a place that is not configured. */
  fetch(url: string): Promise<ArchiveResponse>
}

/** Files whose name tells their content: never asked for again once they are here. */
const unchanging = /\/pool\/|\/by-hash\//

/** Characters that Debian's archive uses in paths (Debian Policy 5.6.1, 5.6.12; by-hash), and those of them that some archives write as `%3a`, `%2b` or `%7e`. */
const archivePath = /^(?:[A-Za-z0-9](?:[A-Za-z0-9+.~_:-]|%(?:3a|2b|7e))*(?:\/(?!$)|$))+$/i

const mostRedirects = 5

export function openPackageArchive({ mirrors, cacheDirectory, leastFreeBytes }: PackageArchiveOptions): PackageArchive {
  const options = { cachePath: cacheDirectory, redirect: 'manual', retry: { retries: 2, minTimeout: 200, maxTimeout: 1000 }, timeout: 60_000 } as const
  const bases = Object.entries(mirrors).map(([name, url]) => ({ name, base: `${url.replace(/\/$/, '')}/` }))
  const isConfigured = (url: string): boolean => bases.some(({ base }) => url.startsWith(new URL(base).href))

  const hasSpace = async (): Promise<boolean> => {
    await mkdir(cacheDirectory, { recursive: true })
    const { bavail, bsize } = await statfs(cacheDirectory)
    return bavail * bsize >= leastFreeBytes
  }
  const here = async (url: string): Promise<ArchiveResponse | undefined> =>
    fetchFile(url, { ...options, cache: 'only-if-cached' }).catch((error: Error & { code?: string }) => {
      if (error.code === 'ENOTCACHED') return undefined
      throw error
    })

  return {
    urlOf(mirror, path) {
      const base = bases.find(({ name }) => name === mirror)?.base
      if (base === undefined) throw new HttpProblem(404, `no package mirror '${mirror}' is configured, only ${Object.keys(mirrors).join(', ')}`)
      if (!archivePath.test(path)) throw new HttpProblem(400, 'path: expected a path of a package archive')
      return `${base}${path}`
    },
    kept: async (url) => (unchanging.test(url) ? here(url) : undefined),
    async fetch(url) {
      const whenReached = unchanging.test(url) ? 'force-cache' : 'no-cache'
      const cache = (await hasSpace()) ? whenReached : 'no-store'
      let place = url
      for (let count = 0; count <= mostRedirects; count++) {
        const response = await fetchFile(place, { ...options, cache }).catch(async (error: Error) => {
          const old = await here(place)
          if (old !== undefined) return old
          throw new HttpProblem(502, `${place} cannot be fetched (${error.message}) and was not kept from an earlier time`)
        })
        const location = response.headers.get('location')
        if (response.status < 300 || response.status >= 400 || location === null) return response
        response.body?.resume()
        const next = new URL(location, place).href
        if (!isConfigured(next)) throw new HttpProblem(502, `${place} leads to ${next}, which is below none of the configured mirrors (${bases.map(({ base }) => base).join(', ')})`)
        place = next
      }
      throw new HttpProblem(502, `${url} leads from one place to another more than ${mostRedirects} times`)
    },
  }
}
