import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run, Start } from '../../../appliance/run.ts'
import { measureDhcp, type DhcpMeasurement } from './dhcp/measure-dhcp.ts'
import { measureHttp } from './http/measure-http.ts'
import { clientCounts, dhcpServers, httpServers, stormServers, tftpServers, transferSizes, type NetbootBenchOptions, type ServerName } from './options.ts'
import type { ServedFiles } from './served-files.ts'
import { whileServing } from './serve.ts'
import { measureStorm } from './storm/measure-storm.ts'
import type { StormResult } from './storm/storm-task.ts'
import { measureTftp, type TftpTask } from './tftp/measure-tftp.ts'

type By<Name extends ServerName, Value> = Record<Name, Value>

/** The same measured of each server in turn, so that all meet the same load of this host. A part that was not asked for is not there. */
export interface Round {
  dhcp?: By<(typeof dhcpServers)[number], DhcpMeasurement>
  /** Bytes a second. */
  tftp?: (TftpTask & { bytesPerSecond: By<(typeof tftpServers)[number], number> })[]
  http?: { clients: number; bytesPerSecond: By<(typeof httpServers)[number], number> }[]
  storm?: By<(typeof stormServers)[number], StormResult>
}

export interface RoundContext {
  options: NetbootBenchOptions
  files: ServedFiles
  directory: string
  run: Run
  start: Start
  say: (line: string) => void
  signal: AbortSignal
}

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(0)} MB/s`

export async function measureRound({ options, files, directory, run, start, say, signal }: RoundContext): Promise<Round> {
  const data = join(directory, 'data')
  async function ofEach<Name extends ServerName, Value>(names: readonly Name[], act: (name: Name) => Promise<Value>): Promise<By<Name, Value>> {
    const values: [Name, Value][] = []
    for (const name of names) {
      signal.throwIfAborted()
      await rm(data, { recursive: true, force: true })
      values.push([name, await whileServing(name, { files, directory: data, start }, () => act(name))])
    }
    return Object.fromEntries(values) as By<Name, Value>
  }
  /** Several measurements while a server runs, turned round: each measurement with all servers. */
  async function ofEachTask<Name extends ServerName, Task>(names: readonly Name[], tasks: readonly Task[], measure: (task: Task) => Promise<number>, tell: (task: Task) => string) {
    const byServer = await ofEach(names, async (name) => {
      const values: number[] = []
      for (const task of tasks) {
        signal.throwIfAborted()
        const value = await measure(task)
        say(`${tell(task)}, ${name}: ${megabytes(value)}`)
        values.push(value)
      }
      return values
    })
    return tasks.map((task, index) => ({ task, bytesPerSecond: Object.fromEntries(names.map((name) => [name, byServer[name][index]])) as By<Name, number> }))
  }

  const round: Round = {}
  if (options.parts.includes('dhcp')) {
    round.dhcp = await ofEach(dhcpServers, async (name) => {
      const measured = await measureDhcp(start)
      say(`DHCP, ${name}: ${measured.exchangesPerSecond.toFixed(0)} exchanges a second, p99 ${measured.p99Ms.toFixed(1)} ms, ${measured.unanswered} unanswered`)
      return measured
    })
  }
  if (options.parts.includes('tftp')) {
    const tasks = clientCounts.flatMap((clients) => transferSizes.map((size) => ({ clients, ...size })))
    const tell = ({ clients, blockBytes, windowBlocks }: TftpTask) => `TFTP, ${clients} × ${blockBytes} bytes, window ${windowBlocks}`
    const measured = await ofEachTask(tftpServers, tasks, (task) => measureTftp(task, { files, run }), tell)
    round.tftp = measured.map(({ task, bytesPerSecond }) => ({ ...task, bytesPerSecond }))
  }
  if (options.parts.includes('http')) {
    const measured = await ofEachTask(httpServers, clientCounts, (clients) => measureHttp(clients, run), (clients) => `HTTP, ${clients} clients`)
    round.http = measured.map(({ task, bytesPerSecond }) => ({ clients: task, bytesPerSecond }))
  }
  if (options.parts.includes('storm')) {
    round.storm = await ofEach(stormServers, async (name) => {
      const measured = await measureStorm(options.machines, run)
      say(`boot storm, ${name}: ${measured.servedMs.length} machines in ${(measured.allServedMs / 1000).toFixed(2)} s, sent again ${measured.repeated.dhcp} by DHCP, ${measured.repeated.tftp} by TFTP`)
      return measured
    })
  }
  return round
}
