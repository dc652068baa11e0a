import type { DirectoryLock } from '../../directory-lock.ts'

/** Changes of one job in this process take turns, each under the lock; those of several jobs go on beside each other. */
export interface Turns {
  take<Result>(id: string, act: () => Promise<Result>): Promise<Result>
  /** Whether a change of that job is under way or waits. */
  has(id: string): boolean
  /** Settles when all changes have ended. */
  settled(): Promise<void>
}

export function createTurns(lock: DirectoryLock): Turns {
  const last = new Map<string, Promise<void>>()
  return {
    take(id, act) {
      const result = (last.get(id) ?? Promise.resolve()).then(() => lock.hold(act))
      const settled: Promise<void> = result
        .then(() => {}, () => {})
        .finally(() => {
          if (last.get(id) === settled) last.delete(id)
        })
      last.set(id, settled)
      return result
    },
    has: (id) => last.has(id),
    settled: async () => void (await Promise.all(last.values())),
  }
}
