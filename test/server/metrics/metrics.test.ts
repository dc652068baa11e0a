import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEventLog, type EventLog } from '../../../server/event-log.ts'
import { createMetrics, type Metrics } from '../../../server/metrics/create-metrics.ts'
import { observeEvents } from '../../../server/metrics/observe-events.ts'
import { observeJobs } from '../../../server/metrics/observe-jobs.ts'
import { observeMachines } from '../../../server/metrics/observe-machines.ts'
import { openMachineStore } from '../../../server/machine-store.ts'

let directory: string
let events: EventLog
let metrics: Metrics
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-metrics-'))
  events = openEventLog(directory)
  metrics = createMetrics({ log: pino({ level: 'silent' }), version: '1.2.3' })
})
afterEach(async () => {
  await events.close()
  await rm(directory, { recursive: true })
})

/** The samples whose line begins with `name`, for example `ingot_jobs{state="failed"} 1`, without those that are 0. */
const samples = async (name: string): Promise<string[]> => (await metrics.render()).text.split('\n').filter((line) => line.startsWith(name) && !line.endsWith(' 0'))

test('DHCP messages, TFTP transfers, bytes and what became of jobs are counted as they happen', async () => {
  observeEvents(events, metrics.registry)
  const machine = '52-54-00-00-00-01'
  events.emit({ machine, hop: 'dhcp-discover', architecture: 'x86 BIOS', vendorClass: '', address: '10.0.0.9' })
  events.emit({ machine, hop: 'dhcp-offer', address: '10.0.0.9', file: 'undionly.kpxe' })
  events.emit({ machine, hop: 'tftp', file: 'undionly.kpxe', bytes: 70_000, ms: 5 })
  events.emit({ machine, hop: 'stage2', bytes: 31_000_000, ms: 900 })
  events.emit({ machine, hop: 'claim', job: 'a' })
  events.emit({ machine, hop: 'image', job: 'a', image: 'r', version: 'a', digest: 'sha256:0', blobBytes: 500, diskBytes: 1000 })
  expect(await samples('ingot_dhcp')).toEqual(['ingot_dhcp_messages_total{type="discover"} 1', 'ingot_dhcp_messages_total{type="offer"} 1'])
  expect(await samples('ingot_tftp')).toEqual(['ingot_tftp_transfers_total 1'])
  expect(await samples('ingot_transferred')).toEqual([
    'ingot_transferred_bytes_total{kind="tftp"} 70000',
    'ingot_transferred_bytes_total{kind="stage2"} 31000000',
    'ingot_transferred_bytes_total{kind="image"} 500',
  ])
  expect(await samples('ingot_job_events')).toEqual(['ingot_job_events_total{event="claim"} 1', 'ingot_job_events_total{event="image"} 1'])
})

test('jobs are counted by state and by age, as they are at that moment', async () => {
  const nowMs = Date.parse('2026-11-24T12:00:00Z')
  const jobs = [
    { state: 'available', createdAt: '2026-11-24T11:59:30Z' },
    { state: 'available', createdAt: '2026-11-23T11:00:00Z' },
    { state: 'available' },
    { state: 'failed', createdAt: '2026-11-24T11:30:00Z' },
  ] as const
  let listed: readonly (typeof jobs)[number][] = jobs
  observeJobs(metrics, { list: async () => listed, now: () => nowMs })
  expect(await samples('ingot_jobs{')).toEqual(['ingot_jobs{state="available"} 3', 'ingot_jobs{state="failed"} 1'])
  expect(await samples('ingot_jobs_oldest')).toEqual(['ingot_jobs_oldest_age_seconds{state="available"} 90000', 'ingot_jobs_oldest_age_seconds{state="failed"} 1800'])
  expect((await samples('ingot_jobs_age')).filter((line) => line.includes('available'))).toEqual([
    'ingot_jobs_age_seconds_bucket{state="available",le="60"} 1',
    'ingot_jobs_age_seconds_bucket{state="available",le="3600"} 1',
    'ingot_jobs_age_seconds_bucket{state="available",le="86400"} 1',
    'ingot_jobs_age_seconds_bucket{state="available",le="604800"} 2',
    'ingot_jobs_age_seconds_bucket{state="available",le="+Inf"} 2',
  ])
  listed = []
  expect(await samples('ingot_jobs')).toEqual([])
})

test('machines are counted by what they did last, those known from earlier as unseen', async () => {
  const machines = openMachineStore(directory)
  await machines.label('52-54-00-00-00-01', {})
  await machines.label('52-54-00-00-00-02', { rack: 'b2' })
  observeMachines(metrics, { events, machines })
  events.emit({ machine: '52-54-00-00-00-01', hop: 'claim', job: 'a' })
  events.emit({ machine: '52-54-00-00-00-03', hop: 'dhcp-ack', address: '10.0.0.9', file: '' })
  expect(await samples('ingot_machines')).toEqual(['ingot_machines{state="booting"} 1', 'ingot_machines{state="working"} 1', 'ingot_machines{state="unseen"} 1'])
})

test('what cannot be read is left out and told, and the rest is answered', async () => {
  const machines = openMachineStore(directory)
  await machines.label('52-54-00-00-00-01', {})
  observeMachines(metrics, { events, machines })
  await rename(join(directory, 'machines'), join(directory, 'elsewhere'))
  await writeFile(join(directory, 'machines'), 'no folder')
  expect(await samples('ingot_machines')).toEqual([])
  const { text } = await metrics.render()
  expect(text).toContain('ingot_readable{part="machines"} 0')
  expect(text).toContain('ingot_build_info{version="1.2.3"} 1')
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m)
})
