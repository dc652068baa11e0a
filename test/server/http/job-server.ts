import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InjectOptions } from 'fastify'
import { pino } from 'pino'
import type { Plan } from '../../../images/plan.ts'
import { withJobDefaults } from '../../../server/api/job.ts'
import type { Inventory } from '../../../server/api/machine.ts'
import { createAdmission } from '../../../server/admission.ts'
import { openEventLog } from '../../../server/event-log.ts'
import { createApp } from '../../../server/http/app.ts'
import { jobRoutes } from '../../../server/http/routes/jobs.ts'
import { machineRoutes } from '../../../server/http/routes/machines.ts'
import { tokenAuthorize } from '../../../server/http/token-authorize.ts'
import { openFileJobStore } from '../../../server/jobs/file-job-store.ts'
import { createJobService } from '../../../server/jobs/job-service.ts'
import { openMachineConsoles } from '../../../server/machine-consoles.ts'
import { openMachineStore } from '../../../server/machine-store.ts'
import { openTokens } from '../../../server/tokens.ts'

/** What every recipe becomes here: a job whose script only makes an image. */
export const plan: Plan = {
  version: 1,
  recipe: { name: 'r', digest: 'sha256:0' },
  architecture: 'amd64',
  firmware: ['bios'],
  tools: { name: 'tools', digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 0 },
  steps: [{ kind: 'image', image: 'r' }],
  proof: 'none',
}

export const newClaim = () => randomBytes(32).toString('base64url')
export const machineId = '52-54-00-00-00-01'

/** What a small machine tells of itself. */
export const inventory = (more: Partial<Inventory> = {}): Inventory => ({
  id: machineId,
  uuid: '',
  firmware: 'bios',
  secureBoot: false,
  architecture: 'amd64',
  manufacturer: 'QEMU',
  model: 'pc',
  serial: '',
  cpu: { model: 'cpu', cores: 2 },
  memoryBytes: 2048 * 2 ** 20,
  disks: [],
  nics: [],
  workerVersion: '0.1.0',
  ...more,
})

export type JobServer = Awaited<ReturnType<typeof openJobServer>>

/** A job server on a directory of its own, with its real services and stores; `close` takes all of it away. */
export async function openJobServer({ list = [] }: { list?: object[] } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-jobs-'))
  const writeList = (...entries: object[]) => writeFile(join(directory, 'jobs.json'), JSON.stringify({ version: 1, jobs: entries }))
  if (list.length > 0) await writeList(...list)
  const tokens = openTokens(directory)
  const events = openEventLog(directory)
  const machines = openMachineStore(directory)
  const credentials = {
    worker: await tokens.create({ role: 'worker', name: machineId }),
    operator: await tokens.create({ role: 'operator', name: 'ci' }),
  }
  const jobs = createJobService({ store: await openFileJobStore(directory), makePlan: async () => plan, emit: events.emit, machines })
  const app = createApp({ log: pino({ level: 'silent' }) })
  const authorize = tokenAuthorize(tokens, jobs.holdsSince)
  let made = 0
  await app.register(jobRoutes, {
    jobs,
    authorize,
    emit: events.emit,
    createJob: async (wanted, place) => {
      const job = withJobDefaults({ id: `${wanted.recipe ?? `deploy-${wanted.deploy?.image}`}-${++made}`, ...wanted })
      await jobs.add(job, place)
      return job
    },
  })
  const admission = createAdmission({ machines, tokens, policy: 'ask', emit: events.emit, log: pino({ level: 'silent' }) })
  const servers = [{ url: 'http://one' }, { url: 'http://two', credential: 'theirs' }]
  await app.register(machineRoutes, { machines, consoles: openMachineConsoles(directory), admission, tokens, authorize, emit: events.emit, servers: () => servers })

  const ask =
    (role: keyof typeof credentials) =>
    (method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE', url: string, { payload, headers = {} }: Pick<InjectOptions, 'payload' | 'headers'> = {}) =>
      app.inject({ method, url, headers: { authorization: `Bearer ${credentials[role]}`, ...headers }, ...(payload === undefined ? {} : { payload }) })
  const worker = ask('worker')
  return {
    directory,
    writeList,
    tokens,
    events,
    machines,
    admission,
    credentials,
    jobs,
    app,
    /** Asks as a worker, and as an operator. */
    worker,
    operator: ask('operator'),
    claim: (id: string, claim = newClaim(), payload: object = {}) =>
      worker('PUT', `/status/${id}.json`, { payload, headers: { 'if-none-match': '*', 'ingot-claim': claim } }),
    report: (id: string, claim: string, payload: object, match = '*') =>
      worker('PUT', `/status/${id}.json`, { payload, headers: { 'if-match': match, 'ingot-claim': claim } }),
    async close() {
      await app.close()
      await jobs.close()
      await events.close()
      await rm(directory, { recursive: true })
    },
  }
}
