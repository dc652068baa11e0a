/** What `bench jobs` was asked for. */
export interface JobsOptions {
  /** Workers that ask at the same time. */
  workers: number
  /** Jobs on the list. */
  jobs: number
  /** How often each side is measured, in turn. */
  rounds: number
  /** One line of JSON in place of the table. */
  json: boolean
}

/** What a load process is told. */
export interface LoadTask {
  url: string
  token: string
  /** The first number of its workers, and how many they are. */
  firstWorker: number
  workers: number
  /** Claims that each worker makes at most; it also ends when nothing is offered to it any more. */
  claimsEach: number
}

/** What was measured of some claims, times in milliseconds. */
export interface Claims {
  /** From the first request to the last claim. */
  durationMs: number
  /** Of each claim, in no order: from the question for jobs to the answer to the claim, and of the claim alone. */
  askAndClaimMs: number[]
  claimMs: number[]
  /** Claims that somebody else was faster with. */
  refused: number
}

export const mergeClaims = (all: readonly Claims[]): Claims => ({
  durationMs: Math.max(...all.map(({ durationMs }) => durationMs)),
  askAndClaimMs: all.flatMap(({ askAndClaimMs }) => askAndClaimMs),
  claimMs: all.flatMap(({ claimMs }) => claimMs),
  refused: all.reduce((sum, { refused }) => sum + refused, 0),
})
