import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

/** New work is let into a turn for so long; then the turn ends and rests, so that another server gets its own. */
const turnMs = 50
const restMs = 5

/** SQLITE_BUSY: another process holds the lock, for milliseconds. */
const busy = 5

/** Lets one server at a time change what several share. */
export interface DirectoryLock {
  /** Runs `act` while this process holds the lock. Acts of one process run beside each other in one turn. */
  hold<Result>(act: () => Promise<Result>): Promise<Result>
  /** Call it only when nothing is held. */
  close(): void
}

interface Turn {
  ready: Promise<void>
  /** Since when the lock is held, in milliseconds of the process's clock; not yet while waiting for it. */
  takenAt: number | undefined
  holders: number
  ended: PromiseWithResolvers<void>
}

/**
 * A lock between processes, also on other machines over a network file system: the POSIX lock that SQLite takes for an exclusive transaction. The
 * kernel gives it back when its process ends, however it ends, and never takes it from one that is merely slow, which no lock file made by hand can do.
 * `path` is a database that stays empty. `onTurn` is awaited at the beginning of each turn: what others changed since is read there.
 */
export function createDirectoryLock(path: string, onTurn: () => Promise<void>): DirectoryLock {
  mkdirSync(dirname(path), { recursive: true })
  const database = new DatabaseSync(path, { timeout: 0 })
  let turn: Turn | undefined

  const take = async (): Promise<void> => {
    for (;;) {
      try {
        return database.exec('BEGIN EXCLUSIVE')
      } catch (error) {
        if ((error as { errcode?: number }).errcode !== busy) throw error
        await sleep(1 + Math.random() * 3)
      }
    }
  }

  const begin = (): Turn => {
    const begun: Turn = { ready: Promise.resolve(), takenAt: undefined, holders: 0, ended: Promise.withResolvers() }
    begun.ready = take().then(() => {
      begun.takenAt = performance.now()
      return onTurn()
    })
    return begun
  }
  const isOver = ({ takenAt }: Turn): boolean => takenAt !== undefined && performance.now() - takenAt > turnMs

  const leave = async (left: Turn): Promise<void> => {
    if (--left.holders > 0) return
    if (database.isTransaction) database.exec('COMMIT')
    if (isOver(left)) await sleep(restMs)
    turn = undefined
    left.ended.resolve()
  }

  return {
    async hold(act) {
      while (turn !== undefined && (isOver(turn) || (turn.takenAt !== undefined && turn.holders === 0))) await turn.ended.promise
      const mine = (turn ??= begin())
      mine.holders++
      try {
        await mine.ready
        return await act()
      } finally {
        void leave(mine)
      }
    },
    close: () => database.close(),
  }
}
