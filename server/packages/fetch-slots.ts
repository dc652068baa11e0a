import { HttpProblem } from '../http/problem.ts'

export interface FetchSlotLimits {
  /** Fetches from the archives at once. */
  atOnce: number
  /** Of them for one address. */
  ofOneClient: number
  /** How many more one address may have waiting; the next is refused. */
  waitingOfOne: number
}

/** Turns at fetching from the archives: nobody who asks for much keeps others from their turn. */
export interface FetchSlots {
  /** Settles when it is the turn of this client, with what ends that turn. Throws `HttpProblem` 429 when too many of its requests wait. */
  take(client: string): Promise<() => void>
}

export function createFetchSlots({ atOnce, ofOneClient, waitingOfOne }: FetchSlotLimits): FetchSlots {
  const running = new Map<string, number>()
  let waiting: { client: string; begin: () => void }[] = []
  let taken = 0
  const runningOf = (client: string): number => running.get(client) ?? 0
  const isFree = (client: string): boolean => taken < atOnce && runningOf(client) < ofOneClient

  const begin = (client: string): (() => void) => {
    taken++
    running.set(client, runningOf(client) + 1)
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      taken--
      if (runningOf(client) > 1) running.set(client, runningOf(client) - 1)
      else running.delete(client)
      const next = waiting.find((each) => isFree(each.client))
      if (next === undefined) return
      waiting = waiting.filter((each) => each !== next)
      next.begin()
    }
  }

  return {
    async take(client) {
      if (isFree(client)) return begin(client)
      if (waiting.filter((each) => each.client === client).length >= waitingOfOne) throw new HttpProblem(429, `more than ${waitingOfOne} files that ${client} asked for wait to be fetched already; ask again later`)
      return new Promise((resolve) => waiting.push({ client, begin: () => resolve(begin(client)) }))
    },
  }
}
