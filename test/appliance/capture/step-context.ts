import pino, { type Logger } from 'pino'
import { run, start } from '../../../appliance/run.ts'
import type { StepContext } from '../../../appliance/steps/context.ts'
import { connectJob } from '../../../appliance/worker/connect-job.ts'
import { connectServer } from '../../../appliance/worker/connect-server.ts'
import { httpFetch } from '../../../appliance/worker/http-fetch.ts'
import type { GptDisk } from './gpt-disk.ts'

const silent = pino({ level: 'silent' })

/** The claim `claim` at a real server, which publishes its image as `imageVersion`. */
export const claimAt = (url: string, imageVersion = 'job-1', log: Logger = silent) =>
  connectJob(connectServer({ url, credential: 'credential', fetch: httpFetch }), { job: 'job-1', claim: 'claim', imageVersion, log })

/** The context of the image step of the job `job-1` on a real disk and a real server. */
export const stepContext = (disk: Pick<GptDisk, 'root' | 'target'>, url: string, overrides: Partial<StepContext> = {}): StepContext => ({
  plan: {
    version: 1,
    recipe: { name: 'debian-12', digest: 'sha256:00' },
    architecture: 'amd64',
    firmware: ['bios', 'uefi'],
    tools: { name: 'tools', digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 0 },
    steps: [{ kind: 'image', image: 'debian-12' }],
    proof: 'none',
  },
  job: 'job-1',
  inventory: {
    id: '52-54-00-12-34-56',
    disks: [{ device: disk.target.device, logicalSectorBytes: 512 }],
    workerVersion: '0.1.0',
  } as StepContext['inventory'],
  scratchSerials: [],
  readDisks: async () => [],
  root: disk.root,
  disk: disk.target,
  written: undefined,
  server: claimAt(url, 'job-1', overrides.log),
  packagesUrl: '',
  run,
  start,
  cleanUps: [],
  log: silent,
  progress: () => {},
  signal: new AbortController().signal,
  ...overrides,
})
