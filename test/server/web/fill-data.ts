import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MachineEvent } from '../../../server/api/event.ts'
import type { JobEntry } from '../../../server/api/job.ts'
import type { Disk, Inventory } from '../../../server/api/machine.ts'
import type { Failure, Progress, Status } from '../../../server/api/status.ts'

/*
 * A data directory as a first computer leaves it that has served many machines: each in the state that its number gives it, so that two runs are alike.
 */

const gib = 2 ** 30

export const machineIdOf = (number: number): string => `52-54-00-7${Math.floor(number / 65_536)}-${hex(Math.floor(number / 256) % 256)}-${hex(number % 256)}`
export const jobIdOf = (number: number): string => `web-${String(number).padStart(5, '0')}`
const hex = (value: number): string => value.toString(16).padStart(2, '0')

const models = [
  { manufacturer: 'Dell Inc.', model: 'PowerEdge R640', cores: 32, memoryGiB: 192 },
  { manufacturer: 'Supermicro', model: 'SYS-5019C', cores: 8, memoryGiB: 64 },
  { manufacturer: 'HPE', model: 'ProLiant DL20 Gen10', cores: 12, memoryGiB: 32 },
] as const

export const diskOf = (number: number, more: Partial<Disk>): Disk => ({
  ...{ device: '/dev/nvme0n1', sizeBytes: 480 * 10 ** 9, logicalSectorBytes: 512, model: 'SAMSUNG MZQL2480', serial: `S4EWNX0M${String(number).padStart(6, '0')}`, wwn: '' },
  ...{ transport: 'nvme', removable: false, readOnly: false, contents: [], ...more },
})

export function inventoryOf(number: number): Inventory {
  const { manufacturer, model, cores, memoryGiB } = models[number % models.length]!
  const id = machineIdOf(number)
  const holdsData = number % 4 === 1
  return {
    ...{ id, uuid: '', firmware: number % 3 === 0 ? 'bios' : 'uefi', secureBoot: number % 3 === 2, architecture: 'amd64', manufacturer, model, serial: `SN${10_000 + number}` },
    ...{ cpu: { model: 'Xeon Gold 6226R', cores }, memoryBytes: memoryGiB * gib, workerVersion: '0.1.0' },
    disks: [
      diskOf(number, holdsData ? { contents: ['gpt partition table', 'ext4 filesystem "data"'] } : {}),
      ...(number % 2 === 0 ? [diskOf(number, { device: '/dev/sda', sizeBytes: 4 * 10 ** 12, model: 'ST4000NM0035', serial: `ZC1${number}`, transport: 'sata', contents: ['LVM physical volume of "archive"'] })] : []),
    ],
    nics: [{ name: 'eno1', mac: id.replaceAll('-', ':'), driver: 'ixgbe', speedMbps: 10_000 }],
  }
}

const bootHops: readonly ((id: string, address: string) => NewEvent)[] = [
  () => ({ hop: 'dhcp-discover', architecture: 'UEFI x86-64', vendorClass: 'PXEClient:Arch:00007', address: '' }),
  (_, address) => ({ hop: 'dhcp-ack', address, file: 'snponly.efi' }),
  () => ({ hop: 'tftp', file: 'snponly.efi', bytes: 271_360, ms: 240 }),
  (_, address) => ({ hop: 'boot-script', address }),
  () => ({ hop: 'kernel', bytes: 8_247_232, ms: 110 }),
  () => ({ hop: 'initramfs', bytes: 6_800_000, ms: 90 }),
  () => ({ hop: 'stage2', bytes: 31_300_000, ms: 420 }),
]
const bootTimes = [0, 0.2, 0.6, 1.4, 1.6, 1.8, 6.5]

type NewEvent = MachineEvent extends infer Each ? (Each extends MachineEvent ? Omit<Each, 'time' | 'machine'> : never) : never

const stepNames = ['partition', 'install-rootfs', 'install-packages', 'install-bootloader', 'configure-file', 'configure-script', 'generalise', 'image'] as const

export const progressOf = (number: number): Progress => {
  const stepIndex = number % stepNames.length
  const totalBytes = 200_000_000
  return { stepIndex, stepCount: stepNames.length, step: stepNames[stepIndex]!, doneBytes: Math.round(totalBytes * ((number % 10) / 10)), totalBytes }
}

const failure: Failure = {
  ...{ step: 'install-packages', message: 'apt-get ended with 100: nginx cannot be fetched', command: "chroot /target apt-get install --yes 'nginx'", exitCode: 100 },
  lastLines: ['Reading package lists...', 'Building dependency tree...', 'E: Failed to fetch nginx_1.22.1-9_amd64.deb  503  Service Unavailable', 'E: Unable to fetch some archives'],
}

/** What each machine does: of ten, three hold a job, one boots, one has failed, one is on its own disk, and four wait. */
const doingOf = (number: number) => (['working', 'waiting', 'working', 'booting', 'waiting', 'settled', 'waiting', 'working', 'waiting', 'failed'] as const)[number % 10]!

const statusOf = (number: number, state: Status['state'], nowMs: number, more: Partial<Status>): Status => ({
  ...{ version: 1, job: jobIdOf(number), worker: machineIdOf(number), server: 'http://10.77.0.1:8080', state, revision: 3, attempt: 1, imageVersion: jobIdOf(number) },
  ...{ claimHash: createHash('sha256').update(String(number)).digest('hex'), claimedAt: timeOf(nowMs - 90_000), heartbeatAt: timeOf(nowMs) },
  ...{ deadlineAt: timeOf(nowMs + 4 * 3_600_000 - (number % 180) * 60_000), ...more },
})
const timeOf = (ms: number): string => new Date(ms).toISOString()

export interface FillOptions {
  machines: number
  jobs: number
}

/** Fills a data directory with machines and a list; job N is held by machine N where that is at work. */
export async function fillData(directory: string, { machines, jobs }: FillOptions): Promise<void> {
  const nowMs = Date.now()
  for (const folder of ['machines', 'status', 'logs']) await mkdir(join(directory, folder), { recursive: true })
  const events: MachineEvent[] = []
  for (let number = 0; number < machines; number++) {
    const id = machineIdOf(number)
    const doing = doingOf(number)
    const startMs = nowMs - 100_000 + (number % 60) * 300
    const emit = (seconds: number, event: NewEvent) => events.push({ time: timeOf(startMs + seconds * 1000), machine: id, ...event } as MachineEvent)
    const address = `10.77.${1 + Math.floor(number / 200)}.${10 + (number % 200)}`
    const hops = doing === 'booting' ? 1 + (number % bootHops.length) : doing === 'settled' ? 2 : bootHops.length
    bootHops.slice(0, hops).forEach((make, index) => emit(bootTimes[index]!, make(id, address)))
    if (doing === 'settled') emit(2, { hop: 'local-disk', address, why: 'it has the system web:web-1 of its own' })
    if (doing === 'working' || doing === 'waiting' || doing === 'failed') emit(8, { hop: 'worker', inventory: inventoryOf(number) })
    const job = jobIdOf(number)
    if ((doing === 'working' || doing === 'failed') && number < jobs) {
      emit(8.4, { hop: 'claim', job })
      emit(8.6, { hop: 'plan', job })
      emit(10, { hop: 'component', job, name: 'tools', bytes: 6_700_000, ms: 300 })
      const progress = progressOf(number)
      for (let stepIndex = 0; stepIndex <= progress.stepIndex; stepIndex++) {
        const half = { ...progress, stepIndex, step: stepNames[stepIndex]! }
        emit(12 + stepIndex * 9, { hop: 'step', job, progress: { ...half, doneBytes: 0 } })
        emit(16 + stepIndex * 9, { hop: 'step', job, progress: { ...half, doneBytes: Math.round((progress.doneBytes ?? 0) / 2) } })
      }
      if (doing === 'failed') emit(18 + progress.stepIndex * 9, { hop: 'failed', job, failure })
      const status = doing === 'failed' ? statusOf(number, 'failed', nowMs, { failure }) : statusOf(number, 'running', nowMs, { progress })
      await writeFile(join(directory, 'status', `${job}.json`), JSON.stringify(status))
      await writeFile(join(directory, 'logs', `${job}.log`), Array.from({ length: 40 }, (_, line) => `${timeOf(startMs + line * 900)} unpacking nginx-common (${line + 1} of 40)\n`).join(''))
    }
    const system = { job: 'web-1', image: 'web', version: 'web-1', digest: `sha256:${'ab'.repeat(32)}`, deployedAt: timeOf(nowMs - 86_400_000) }
    const file = {
      ...{ inventory: inventoryOf(number), seenAt: timeOf(startMs + 8000), scratchSerials: number % 8 === 5 ? [`S4EWNX0M${String(number).padStart(6, '0')}`] : [] },
      ...{ labels: { rack: `b${1 + Math.floor(number / 20)}`, slot: String(1 + (number % 20)) }, ...(doing === 'settled' ? { system } : {}) },
    }
    await writeFile(join(directory, 'machines', `${id}.json`), JSON.stringify(file))
  }
  const entry = (number: number): JobEntry => ({
    ...{ id: jobIdOf(number), recipe: number % 3 === 0 ? 'debian-12-nginx' : 'debian-12', silenceLimitSeconds: 86_400 },
    ...(number % 50 === 7 ? { priority: 5 } : {}),
    ...(number % 25 === 24 ? { assignedTo: machineIdOf(4) } : {}),
  })
  await writeFile(join(directory, 'jobs.json'), JSON.stringify({ version: 1, jobs: Array.from({ length: jobs }, (_, number) => entry(number)) }))
  events.sort((one, other) => one.time.localeCompare(other.time))
  await writeFile(join(directory, 'events.ndjson'), events.map((event) => `${JSON.stringify(event)}\n`).join(''))
}

