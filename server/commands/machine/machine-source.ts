import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { MachineStanding, TimelineAnswer, TimelinesAnswer } from '../../api/timeline.ts'
import { askServer } from '../../http-client.ts'
import { createJobPaths } from '../../jobs/files/job-paths.ts'
import { openMachineStore, type MachineRecord } from '../../machine-store.ts'
import { diagnoseMachine } from '../../timeline/diagnose.ts'
import { openMachineHistories } from '../../timeline/machine-histories.ts'
import { readLog } from '../job/follow-log.ts'
import { serverAddress, withServerAndJson, type Asker, type ServerOptions } from '../server-options.ts'

/** What is known of machines, from a running server or from its data directory. */
export interface MachineSource {
  records(): Promise<MachineRecord[]>
  standings(): Promise<ReadonlyMap<string, MachineStanding>>
  /** Undefined for a machine that nothing was heard of. */
  timeline(id: string): Promise<TimelineAnswer | undefined>
  /** What the workers of a job said, and the kernels of their machines; undefined when there is nothing yet. */
  log(job: string): Promise<string | undefined>
}

export type MachineSourceOptions = ServerOptions & { data?: string }

export const withMachineSource = (command: Command): Command =>
  withServerAndJson(command).option('--data <directory>', 'data directory of a first computer, in place of the server')

/** Throws `IngotError` 'argument-invalid' when neither a server nor a directory is told. */
export const machineSource = (options: MachineSourceOptions, asker: Asker): MachineSource =>
  options.data === undefined ? fromServer(options, asker) : fromDirectory(options.data)

function fromDirectory(directory: string): MachineSource {
  const histories = openMachineHistories(directory)
  const timeline = async (id: string): Promise<TimelineAnswer | undefined> => {
    await histories.refresh()
    const events = [...histories.of(id)]
    const now = diagnoseMachine(events, Date.now())
    return now === undefined ? undefined : { version: 1, machine: id, now, events }
  }
  return {
    records: () => openMachineStore(directory).list(),
    timeline,
    log: (job) =>
      readFile(createJobPaths(directory).log(job), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      }),
    async standings() {
      await histories.refresh()
      const timelines = await Promise.all(histories.machines().map(timeline))
      return new Map(timelines.flatMap((each) => (each === undefined ? [] : [[each.machine, each.now] as const])))
    },
  }
}

function fromServer(options: ServerOptions, asker: Asker): MachineSource {
  const address = serverAddress(options, asker)
  const ask = async <Answer>(path: string) => (await (await askServer(address, path)).json()) as Answer
  return {
    records: async () => (await ask<{ machines: MachineRecord[] }>('/machines.json')).machines,
    standings: async () => new Map((await ask<TimelinesAnswer>('/timelines.json')).machines.map(({ machine, now }) => [machine, now])),
    async timeline(id) {
      const answer = await askServer(address, `/machines/${encodeURIComponent(id)}/timeline`, {}, { allowed: [404] })
      return answer.status === 404 ? undefined : ((await answer.json()) as TimelineAnswer)
    },
    async log(job) {
      const bytes = await readLog(address, job)
      return bytes.length === 0 ? undefined : bytes.toString()
    },
  }
}
