import { describe, expect, test } from 'vitest'
import type { Failure } from '../../../server/api/status.ts'
import * as rules from '../../../server/jobs/rules.ts'
import { sampleHistory, sampleJob, sampleStatus } from './sample-job.ts'

const nowMs = Date.parse('2026-11-23T10:30:00.000Z')
const digest = `sha256:${'1'.repeat(64)}`
const progress = { stepIndex: 0, stepCount: 2, step: 'proof', detail: 'waits for its turn' }
const running = sampleStatus('a', 'w1', { state: 'running', revision: 4, progress: { stepIndex: 7, stepCount: 8, step: 'image' } })
const proving = { ...running, state: 'proving' as const, imageDigest: digest, progress, revision: 5 }
const receipt = { claimHash: running.claimHash, imageDigest: digest, progress }
const failure: Failure = { step: 'proof', message: 'a copy on BIOS said "No bootable device."', lastLines: ['No bootable device.'] }
const backoff = { firstMs: 30_000, mostMs: 600_000 }

describe('the receipt of an image', () => {
  test('begins the proof of a job that is held', () => {
    const change = rules.planReceipt('a', { job: sampleJob('a'), status: running }, receipt, nowMs)
    expect(change).toEqual({ kind: 'status', status: { ...proving, heartbeatAt: '2026-11-23T10:30:00.000Z' } })
  })

  test('changes nothing when it is the same again', () => {
    expect(rules.planReceipt('a', { job: sampleJob('a'), status: proving }, receipt, nowMs)).toEqual({ kind: 'keep' })
  })

  test.each([
    ['another image of the same claim', proving, { ...receipt, imageDigest: `sha256:${'2'.repeat(64)}` }, 410],
    ['another claim', running, { ...receipt, claimHash: 'sha256:w2' }, 409],
    ['a job that was cancelled', { ...running, state: 'cancelled' as const }, receipt, 410],
    ['a job that nobody holds', undefined, receipt, 410],
  ])('is refused from %s', (_, status, given, code) => {
    const record = { job: sampleJob('a'), ...(status === undefined ? {} : { status }) }
    expect(() => rules.planReceipt('a', record, given, nowMs)).toThrow(expect.objectContaining({ status: code }))
  })
})

describe('an image that does not prove good', () => {
  test('ends the attempt with the failure, and the job may be taken again', () => {
    expect(rules.planUnproven({ job: sampleJob('a'), status: proving }, proving, failure, nowMs, backoff)).toEqual({
      kind: 'release',
      history: {
        version: 1,
        attempts: [{ attempt: 1, worker: 'w1', claimHash: 'sha256:w1', claimedAt: proving.claimedAt, endedAt: '2026-11-23T10:30:00.000Z', loss: 'unproven', failure }],
        notBefore: '2026-11-23T10:30:30.000Z',
      },
    })
  })

  test('fails the job after its last attempt, with what the console said', () => {
    const record = { job: sampleJob('a', { maxAttempts: 2 }), status: proving, history: sampleHistory('w0') }
    expect(rules.planUnproven(record, proving, failure, nowMs, backoff)).toMatchObject({
      kind: 'status',
      status: { state: 'failed', failure: { ...failure, message: `${failure.message}; attempt 2 of 2` } },
    })
  })

  test('takes the job off where that is its rule', () => {
    expect(rules.planUnproven({ job: sampleJob('a', { whenLost: 'remove' }), status: proving }, proving, failure, nowMs, backoff)).toMatchObject({ kind: 'end', ended: { end: 'removed', history: { attempts: [{ loss: 'unproven' }] } } })
  })
})

test('a job in its proof is held by no worker, and is at rest for nobody', () => {
  const record = { job: sampleJob('a'), status: proving }
  expect([rules.isHeld(proving), rules.isUnderWay(proving)]).toEqual([false, true])
  expect(() => rules.planRetry(record)).toThrow(expect.objectContaining({ status: 409, message: "job 'a' is being proven, with the image that w1 made; cancel it first" }))
  expect(rules.planCancel(record, nowMs)).toMatchObject({ kind: 'status', status: { state: 'cancelled' } })
})

test('the proof of an attempt is told from that of the next', () => {
  expect(rules.isProving({ job: sampleJob('a'), status: proving }, running)).toBe(true)
  expect(rules.isProving({ job: sampleJob('a'), status: { ...proving, claimHash: 'sha256:w2' } }, running)).toBe(false)
  expect(rules.isProving({ job: sampleJob('a') }, running)).toBe(false)
  expect(rules.isProving(undefined, running)).toBe(false)
})
