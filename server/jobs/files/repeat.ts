/** A folder that takes long to read is read more seldom: this share of the time at most. */
const everyMs = 500
const share = 0.05

/** Does `act` twice a second, or less often when it takes long, until it is stopped; an error of one time does not end it. */
export function repeat(act: () => Promise<void>, onError: (error: unknown) => void): { stop(): Promise<void> } {
  let stopped = false
  let acting: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout
  const again = (waitMs: number): void => {
    timer = setTimeout(() => {
      const startedAt = performance.now()
      acting = act()
        .catch(onError)
        .finally(() => {
          if (!stopped) again(Math.max(everyMs, (performance.now() - startedAt) / share))
        })
    }, waitMs)
    timer.unref()
  }
  again(everyMs)
  return {
    async stop() {
      stopped = true
      clearTimeout(timer)
      await acting
    },
  }
}
