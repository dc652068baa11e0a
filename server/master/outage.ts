/** Why a first computer is not asked, and since when. */
export interface Outage {
  since: Date
  reason: string
}

/** For example `first computer 'hall-b' cannot be reached since 2026-11-23T21:20:01.123Z: connect ECONNREFUSED 10.78.0.1:8080`. */
export const renderOutage = (name: string, { since, reason }: Outage): string => `first computer '${name}' cannot be reached since ${since.toISOString()}: ${reason}`

/** What is wrong with a first computer, if it is away. */
export const describeOutage = ({ name, outage }: { name: string; outage: Outage | undefined }): string | undefined => outage && renderOutage(name, outage)

/** Whether an answer refuses the one who asks, rather than what is asked. */
export const isRefusal = (status: number): boolean => status === 401 || status === 403
export const reasonOfRefusal = (status: number): string => `refuses the credential of this master (${status})`

/** Why there was no answer, for example `connect ECONNREFUSED 10.78.0.1:8080`: what failed, or below it, in words. */
export function reasonOf(error: Error): string {
  if (error.name === 'TimeoutError') return 'no answer in time'
  const inner: unknown = error.cause instanceof AggregateError ? error.cause.errors[0] : error.cause
  const { message } = inner instanceof Error ? inner : error
  return message || (inner as NodeJS.ErrnoException | undefined)?.code || error.name
}
