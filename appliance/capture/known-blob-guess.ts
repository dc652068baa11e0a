/**
 * Below this share of known chunks a question costs more than it saves: a HEAD costs the worker about 1.5 ms of CPU, sending a chunk about 4 ms
 * (measured, native).
 */
const worthwhileShare = 0.3
/** While questions do not pay, every so many chunks one is still asked about: what is new may end. */
const sampleEvery = 16
/** How slowly a guess changes: about twenty unknown chunks in a row end the asking. */
const memory = 16

/** Decides which chunks the server is asked about before they are sent. */
export interface KnownBlobGuess {
  shouldAsk(): boolean
  learn(known: boolean): void
}

/**
 * Starts by asking about every chunk and goes on as long as enough of them are known. So a first build is hardly slowed down, and one that
 * resumes or repeats an earlier one sends little that is not new.
 */
export function createKnownBlobGuess(): KnownBlobGuess {
  let share = 1
  let chunks = 0
  return {
    shouldAsk: () => share >= worthwhileShare || chunks++ % sampleEvery === 0,
    learn: (known) => void (share += ((known ? 1 : 0) - share) / memory),
  }
}
