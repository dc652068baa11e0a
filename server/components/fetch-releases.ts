import { createHash } from 'node:crypto'
import { Type, type Static } from 'typebox'
import { releaseUrls } from '../../images/debian-archive.ts'

/** What the package archive says it has: one signed index, which changes whenever anything below it does. */
export const releaseSchema = Type.Object(
  {
    /** For example `debian/dists/bookworm/InRelease`. */
    name: Type.String(),
    digest: Type.String(),
    /** When it was made, seconds since 1970. */
    dateSeconds: Type.Integer(),
  },
  { additionalProperties: false },
)
export type Release = Static<typeof releaseSchema>

/** The indexes that apt goes by at this moment. Throws an `Error` when one of them cannot be had. */
export const fetchReleases = (suite: string, packagesUrl: string, fetcher: typeof fetch): Promise<Release[]> =>
  Promise.all(
    releaseUrls(suite, packagesUrl).map(async (url) => {
      const response = await fetcher(url, { signal: AbortSignal.timeout(60_000) })
      const text = await response.text()
      if (!response.ok) throw new Error(`${url} answered ${response.status}`)
      const date = Date.parse(/^Date: (.+)$/m.exec(text)?.[1] ?? '')
      if (Number.isNaN(date)) throw new Error(`${url} is no InRelease file`)
      // The port of our own server may change between runs, so the record names the release without it.
      const name = url.slice(packagesUrl.length + 1)
      return { name, digest: `sha256:${createHash('sha256').update(text).digest('hex')}`, dateSeconds: date / 1000 }
    }),
  )
