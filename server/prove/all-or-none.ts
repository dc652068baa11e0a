import pMap from 'p-map'

/**
 * Does something with each item, as many at once as `concurrency` says. The first that fails, or `signal`, stops the others by the signal that each was given;
 * its reason is thrown once all have ended, so that nothing of them runs on.
 */
export async function allOrNone<Item, Result>(
  items: readonly Item[],
  act: (item: Item, index: number, signal: AbortSignal) => Promise<Result>,
  { concurrency, signal }: { concurrency: number; signal: AbortSignal },
): Promise<Result[]> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const one = async (item: Item, index: number): Promise<{ result: Result } | undefined> => {
    if (stop.signal.aborted) return undefined
    return act(item, index, either).then((result) => ({ result }), (error: unknown) => {
      stop.abort(error)
      return undefined
    })
  }
  const done = await pMap(items, one, { concurrency })
  stop.signal.throwIfAborted()
  return done.map((each) => each!.result)
}
