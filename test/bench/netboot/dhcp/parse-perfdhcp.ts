/** What perfdhcp tells of one run. */
export interface PerfdhcpReport {
  /** Exchanges of four messages that came to their end. */
  completed: number
  /** Messages that were sent, and those among them that were not answered. */
  asked: number
  unanswered: number
  /** Milliseconds from each answered message to its answer, in no order. */
  latenciesMs: number[]
}

const numberAfter = (text: string, label: string): number[] => [...text.matchAll(new RegExp(`^${label}: (\\d+)$`, 'gm'))].map((match) => Number(match[1]))

/**
 * Reads the output of `perfdhcp -x t` (Kea 2.2): two sections of counters, for DISCOVER-OFFER and REQUEST-ACK, and the time stamps of each message
 * with an answer. Throws when one of them is missing, as it is when perfdhcp could not begin.
 */
export function parsePerfdhcp(output: string): PerfdhcpReport {
  const [sent, received] = [numberAfter(output, 'sent packets'), numberAfter(output, 'received packets')]
  const [asked, completed] = [sent[0], received[1]]
  if (asked === undefined || completed === undefined) throw new Error(`perfdhcp has measured nothing: ${output.trim().split('\n').at(-1)}`)
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  const stamps = output.matchAll(/^sent \/ received: (\d+\.\d+) \/ (\d+\.\d+)$/gm)
  return {
    completed,
    asked: sum(sent),
    unanswered: sum(sent) - sum(received),
    latenciesMs: [...stamps].map(([, at, answeredAt]) => (Number(answeredAt) - Number(at)) * 1000),
  }
}
