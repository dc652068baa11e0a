import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Appliance } from '../../appliance/os/load-appliance.ts'
import type { Run, Start } from '../../appliance/run.ts'
import { selectPolicy } from '../../boot/policy.ts'
import type { Admission } from '../admission.ts'
import type { Emit } from '../event-log.ts'
import type { JobService } from '../jobs/job-service.ts'
import type { MachineStore } from '../machine-store.ts'
import type { ReachedAt } from '../tls/worker-servers.ts'
import type { Tokens } from '../tokens.ts'
import { bootRoutes } from './boot-routes.ts'
import { createBootScripts, type BootScriptsOptions } from './boot-scripts.ts'
import type { NetbootConfig } from './netboot-config.ts'
import { startNetboot } from './netboot.ts'

/** A boot script is fetched seconds before its ticket is used; a slow machine with many disks may take minutes to get there. */
const ticketLifeSeconds = 15 * 60

export interface BootServicesOptions {
  config: NetbootConfig
  /** As machines reach this server. */
  reachedAt: ReachedAt
  appliance: Appliance
  dataDirectory: string
  admission: Admission
  tokens: Pick<Tokens, 'createTicket'>
  jobs: Pick<JobService, 'assignedTo' | 'hasWorkFor'>
  machines: MachineStore
  emit: Emit
  log: Logger
  run: Run
  start: Start
}

export interface BootServices {
  /** Whose an address of the boot network is. */
  machineAt(ipv4: string): string | undefined
  close(): Promise<void>
}

/** Starts what boots machines, and gives the app the routes that they fetch boot scripts and the appliance from. Throws as `startNetboot` does. */
export async function openBootServices(app: FastifyInstance, options: BootServicesOptions): Promise<BootServices> {
  const { config, reachedAt, appliance, dataDirectory, admission, tokens, jobs, machines, emit, log, run, start } = options
  const { url: httpUrl, https } = reachedAt
  const { policies, withoutJob } = config
  const withoutJobOf = (machine: string) => selectPolicy(policies, { machine, architectures: [] }).withoutJob ?? withoutJob
  const scripts: BootScriptsOptions = {
    httpUrl,
    ...(https === undefined ? {} : { https }),
    stage2Digest: appliance.stage2Digest,
    async issueTicket(machine) {
      await admission.note(await machines.read(machine))
      return tokens.createTicket(machine, ticketLifeSeconds)
    },
    knownAtBoot: async (machine) => {
      const [record, assignedJob] = await Promise.all([machines.read(machine), jobs.assignedTo(machine)])
      const { system } = record
      const hasWork = withoutJobOf(machine) === 'wait' || (await jobs.hasWorkFor(machine))
      return { hasWork, isAdmitted: admission.isAdmitted(record), ...(system === undefined ? {} : { system }), ...(assignedJob === undefined ? {} : { assignedJob }) }
    },
    onWaiting: admission.wait,
    emit,
  }
  const bootScripts = createBootScripts(scripts)
  const { kernelPath, initramfsPath } = appliance
  const secureBoot = policies.some((policy) => policy.secureBoot === true)
    ? { kernelPath, initramfsPath, grubConfig: (machine: string, address: string) => bootScripts('grub', machine, address) }
    : undefined
  const netboot = await startNetboot({ ...config, secureBoot, dataDirectory, httpUrl, emit, log: log.child({ part: 'netboot' }), run, start })
  const machineAt = (address: string) => netboot.machineAt(address)
  await app.register(bootRoutes, {
    ...scripts,
    appliance: { kernel: kernelPath, initramfs: initramfsPath, stage2: appliance.stage2Path, inventory: appliance.inventoryPath },
    bootFiles: netboot.bootFiles,
    machineAt,
    whyNotAt: netboot.whyNotAt,
  })
  return { machineAt, close: () => netboot.close() }
}
