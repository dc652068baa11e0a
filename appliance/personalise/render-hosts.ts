/** The first part of a name: `web-1` of `web-1.example`. */
export const shortName = (hostname: string): string => hostname.split('.')[0]!

/** `/etc/hosts` by which a machine knows its own name: at 127.0.1.1, as Debian has it (Debian Reference, 5.1.1), in place of the name that stood there. */
export function renderHosts(text: string, hostname: string): string {
  const names = [...new Set([hostname, shortName(hostname)])].join(' ')
  const lines = text.split('\n').filter((line) => line !== '' && !/^127\.0\.1\.1\s/.test(line))
  const after = lines.findLastIndex((line) => /^127\./.test(line)) + 1
  return `${lines.toSpliced(after, 0, `127.0.1.1 ${names}`).join('\n')}\n`
}
