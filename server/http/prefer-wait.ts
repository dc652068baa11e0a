/** A request waits no longer than this, whatever it asked for: proxies end connections on which nothing is said for a minute. */
export const longestWaitSeconds = 60

/**
 * Seconds that the header `Prefer` asks an answer to wait (RFC 7240, 4.3), for example 25 for `respond-async, wait=25`, and at most
 * `longestWaitSeconds`. Of several the first counts (section 2); `undefined` when there is none that can be understood, which is then ignored.
 */
export function preferWait(header: string | readonly string[] | undefined): number | undefined {
  const preferences = [header ?? []].flat().flatMap((line) => line.split(','))
  const wait = preferences.map((preference) => preference.trim()).find((preference) => /^wait\b/i.test(preference))
  const seconds = /^wait\s*=\s*"?(\d{1,9})"?\s*(;|$)/i.exec(wait ?? '')?.[1]
  return seconds === undefined ? undefined : Math.min(Number(seconds), longestWaitSeconds)
}
