import { expect, test } from 'vitest'
import { shareNext } from '../../server/share-next.ts'

/** An act that a test ends when it likes, with the number of its run. */
function heldAct() {
  const runs: PromiseWithResolvers<number>[] = []
  const act = (): Promise<number> => {
    const run = Promise.withResolvers<number>()
    runs.push(run)
    return run.promise
  }
  return { runs, ask: shareNext(act) }
}
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('who asks while a run is under way shares the next, which begins after it', async () => {
  const { runs, ask } = heldAct()
  const first = ask()
  const others = [ask(), ask(), ask()]
  expect(runs).toHaveLength(1)
  runs[0]!.resolve(1)
  expect(await first).toBe(1)
  await settle()
  expect(runs).toHaveLength(2)
  runs[1]!.resolve(2)
  expect(await Promise.all(others)).toEqual([2, 2, 2])
  const later = ask()
  expect(runs).toHaveLength(3)
  runs[2]!.resolve(3)
  expect(await later).toBe(3)
})

test('a run that fails fails for those who share it, and the next goes on', async () => {
  const { runs, ask } = heldAct()
  const first = ask()
  const second = ask()
  runs[0]!.reject(new Error('no'))
  await expect(first).rejects.toThrow('no')
  await settle()
  runs[1]!.resolve(2)
  expect(await second).toBe(2)
})

test('there is one run at a time, whenever one asks', async () => {
  let running = 0
  let most = 0
  const ask = shareNext(async () => {
    most = Math.max(most, ++running)
    await settle()
    running--
  })
  const again = async (): Promise<void> => {
    for (let time = 0; time < 20; time++) await ask()
  }
  await Promise.all([again(), again(), again()])
  expect(most).toBe(1)
})
