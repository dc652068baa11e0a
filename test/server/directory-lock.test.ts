import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createDirectoryLock } from '../../server/directory-lock.ts'

const holder = join(import.meta.dirname, 'fixtures/hold-lock.ts')

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-lock-'))
})
afterEach(() => rm(directory, { recursive: true }))

test('of several processes one at a time changes what they share', async () => {
  await writeFile(join(directory, 'count'), '0')
  const processes = Array.from({ length: 4 }, () => spawn(process.execPath, [holder, directory, 'count', '50'], { stdio: ['ignore', 'ignore', 'inherit'] }))
  const codes = await Promise.all(processes.map(async (each) => (await once(each, 'exit'))[0] as number))
  expect(codes).toEqual([0, 0, 0, 0])
  expect(await readFile(join(directory, 'count'), 'utf8')).toBe('200')
})

test('the lock of a process that was killed while it held it is free at once', async () => {
  const held = spawn(process.execPath, [holder, directory, 'hang', '1'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface(held.stdout), 'line')) as [string]
  expect(line).toBe('held')
  const lock = createDirectoryLock(join(directory, 'jobs.lock'), async () => {})
  let got = false
  const mine = lock.hold(async () => void (got = true))
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(got).toBe(false)
  held.kill('SIGKILL')
  await mine
  expect(got).toBe(true)
  lock.close()
})

test('acts of one process run beside each other, each turn beginning with a look at what others did', async () => {
  let turns = 0
  const lock = createDirectoryLock(join(directory, 'jobs.lock'), async () => void turns++)
  let inside = 0
  let most = 0
  const act = async () => {
    most = Math.max(most, ++inside)
    await new Promise((resolve) => setTimeout(resolve, 5))
    inside--
  }
  await Promise.all(Array.from({ length: 10 }, () => lock.hold(act)))
  expect(most).toBe(10)
  expect(turns).toBe(1)
  await lock.hold(act)
  expect(turns).toBe(2)
  lock.close()
})

test('what an act throws is thrown to who asked, and the others go on', async () => {
  const lock = createDirectoryLock(join(directory, 'jobs.lock'), async () => {})
  const failing = lock.hold(() => Promise.reject(new Error('no')))
  const fine = lock.hold(async () => 'fine')
  await expect(failing).rejects.toThrow('no')
  await expect(fine).resolves.toBe('fine')
  await expect(lock.hold(async () => 'again')).resolves.toBe('again')
  lock.close()
})
