/** The installed packages named in a dpkg database (`/var/lib/dpkg/status`, deb822), sorted: `[{ name: 'nginx', version: '1.22.1-9' }]`. */
export function parseDpkgStatus(text: string): { name: string; version: string }[] {
  const field = (stanza: string, name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1]?.trim()
  return text
    .split(/\n\n+/)
    .filter((stanza) => field(stanza, 'Status')?.endsWith(' installed'))
    .map((stanza) => ({ name: field(stanza, 'Package') ?? '', version: field(stanza, 'Version') ?? '' }))
    .sort((left, right) => (left.name < right.name ? -1 : 1))
}
