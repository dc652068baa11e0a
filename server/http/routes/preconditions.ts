import type { IncomingHttpHeaders } from 'node:http'
import { HttpProblem } from '../problem.ts'

const listed = (header: string): string[] => header.split(',').map((each) => each.trim())

/**
 * Weighs the conditions of a GET or HEAD (RFC 9110, 13.2.2) for something with a strong validator and no date: whether the one who asks has it already,
 * which is to be answered with 304. Throws `HttpProblem` 412 when it is not what the one who asks counts on.
 */
export function isNotModified(headers: IncomingHttpHeaders, etag: string): boolean {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers
  if (match !== undefined && match !== '*' && !listed(match).includes(etag)) throw new HttpProblem(412, `header If-Match: expected ${etag}, got ${match}`)
  return noneMatch !== undefined && (noneMatch === '*' || listed(noneMatch).some((each) => each.replace(/^W\//, '') === etag))
}

/** The `Range` that counts: none when it was meant for another state of the thing (RFC 9110, 13.1.5). A date never matches: it is no strong validator here. */
export const rangeIfSame = ({ range, 'if-range': ifRange }: IncomingHttpHeaders, etag: string): string | undefined =>
  ifRange === undefined || ifRange === etag ? range : undefined
