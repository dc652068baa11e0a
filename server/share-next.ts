/**
 * Lets many callers share the runs of an act that shows each of them what was so when it asked: who asks while one run is under way shares the next,
 * which has not begun yet. So there is one run at a time, however many ask.
 */
export function shareNext<Result>(act: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<Result> | undefined
  let next: Promise<Result> | undefined

  const begin = (): Promise<Result> => {
    next = undefined
    const run = (running = act())
    const settled = (): void => {
      if (next === undefined) running = undefined
    }
    run.then(settled, settled)
    return run
  }
  return () => (running === undefined ? begin() : (next ??= running.catch(() => {}).then(begin)))
}
