import { constants } from 'node:fs'
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { followKernelLog, parseKernelRecord, type KernelLogLimits, type KernelLogPosition } from '../../../appliance/worker/kernel-log.ts'
import { run } from '../../../appliance/run.ts'

let directory: string
let path: string
let kernel: FileHandle
let ending: AbortController
let lines: string[]
let told: KernelLogPosition
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-kmsg-'))
  path = join(directory, 'kmsg')
  await run('mkfifo', [path])
  // Like the kernel, it is there before and after whoever reads.
  kernel = await open(path, constants.O_RDWR | constants.O_NONBLOCK)
  ending = new AbortController()
  lines = []
  told = { sequence: -1 }
})
afterEach(async () => {
  ending.abort()
  await kernel.close()
  await rm(directory, { recursive: true })
})

const say = async (from: number, count = 1) => {
  for (let number = from; number < from + count; number++) await kernel.write(`6,${number},${1_500_000 + number},-;message ${number}\n SUBSYSTEM=block\n`)
}
const follow = (limits: Partial<KernelLogLimits> = {}) => followKernelLog({ path, onLine: (line) => void lines.push(line), told, signal: ending.signal, limits: { everyMs: 20, ...limits } })

test('what the kernel said since the boot is told, and what it says from then on', async () => {
  await say(0, 3)
  const following = follow()
  await expect.poll(() => lines).toHaveLength(3)
  await say(3)
  await expect.poll(() => lines).toEqual([0, 1, 2, 3].map((number) => `kernel: [    1.50000${number}] message ${number}`))
  ending.abort()
  await following
})

test('the next job is told what came since, and not all again', async () => {
  await say(0, 2)
  const following = follow()
  await expect.poll(() => lines).toHaveLength(2)
  ending.abort()
  await following
  ending = new AbortController()
  await say(0, 4)
  const again = follow()
  await expect.poll(() => lines).toHaveLength(4)
  expect(lines.at(-1)).toContain('message 3')
  ending.abort()
  await again
})

test('a kernel that says the same without end is cut short, and how much is left out is told', async () => {
  await say(0, 100)
  const following = follow({ burst: 10, perSecond: 50, everyMs: 100 })
  await expect.poll(() => lines).toHaveLength(10)
  await expect.poll(async () => (await say(100 + lines.length), lines.some((line) => /^kernel: \[\d+ lines are left out here: more than 50 a second\]$/.test(line)))).toBe(true)
  ending.abort()
  await following
  expect(lines.length).toBeLessThan(90)
})

test('a host that has no such file is no trouble', async () => {
  await followKernelLog({ path: join(directory, 'none'), onLine: () => expect.unreachable(), told, signal: ending.signal })
})

describe('a record', () => {
  test('is cleaned of what a terminal obeys, however it is written', () => {
    expect(parseKernelRecord('6,1,2,-;a\\x1b[31mb\u001b[0mc\u0007\u202ed')).toEqual({ sequence: 1, seconds: 0.000002, text: 'a?[31mb?[0mc??d' })
  })
  test('the ticket on the command line, which the kernel tells twice, is left out', () => {
    expect(parseKernelRecord('5,2,0,-;Kernel command line: ingot.server=http://10.77.0.1:8080 ingot.ticket=ingot_ticket_c2VjcmV0 panic=10')?.text).toBe(
      'Kernel command line: ingot.server=http://10.77.0.1:8080 ingot.ticket=… panic=10',
    )
  })
  test.each([' DEVICE=b8:0', '', 'x', '6,1;y'])('%j is none', (line) => expect(parseKernelRecord(line)).toBeUndefined())
})
