/** Base under which Debian's public archive has `debian` and `debian-security`. */
export const publicMirror = 'http://deb.debian.org'

/** The indexes of a suite, each beside its base address: the release, its updates and its security updates. */
const releases = (suite: string) => [
  { archive: 'debian', suite },
  { archive: 'debian', suite: `${suite}-updates` },
  { archive: 'debian-security', suite: `${suite}-security` },
]

/** Lines of `sources.list`, for example `deb http://deb.debian.org/debian bookworm main`. */
export const debianSources = (suite: string, packagesUrl: string): string[] =>
  releases(suite).map((release) => `deb ${packagesUrl}/${release.archive} ${release.suite} main`)

/** Addresses of the signed indexes, which change whenever anything in the suite does (Debian repository format, "InRelease"). */
export const releaseUrls = (suite: string, packagesUrl: string): string[] =>
  releases(suite).map((release) => `${packagesUrl}/${release.archive}/dists/${release.suite}/InRelease`)
