import pino from 'pino'
import { run } from '../../../appliance/run.ts'
import type { StepContext } from '../../../appliance/steps/context.ts'
import { connectServer } from '../../../appliance/worker/http-job-server.ts'
import type { GptDisk } from './gpt-disk.ts'

/** The context of the image step of the job `job-1` on a real disk and a real server. */
export const stepContext = (disk: Pick<GptDisk, 'root' | 'target'>, url: string, overrides: Partial<StepContext> = {}): StepContext => ({
  plan: {
    version: 1,
    recipe: { name: 'debian-12', digest: 'sha256:00' },
    architecture: 'amd64',
    firmware: ['bios', 'uefi'],
    tools: { name: 'tools', digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 0 },
    steps: [{ kind: 'image', image: 'debian-12' }],
  },
  job: 'job-1',
  inventory: {
    id: '52-54-00-12-34-56',
    disks: [{ device: disk.target.device, logicalSectorBytes: 512 }],
    workerVersion: '0.1.0',
  } as StepContext['inventory'],
  scratchSerials: [],
  root: disk.root,
  disk: disk.target,
  server: connectServer({ url, credential: 'credential', fetch }).claimed('job-1', 'claim'),
  packagesUrl: '',
  run,
  log: pino({ level: 'silent' }),
  progress: () => {},
  signal: new AbortController().signal,
  ...overrides,
})
