import { text } from 'node:stream/consumers'
import type { Start } from '../../../../appliance/run.ts'
import { percentileOf } from '../../statistics.ts'
import { atClients, benchNetwork } from '../bench-network.ts'
import { parsePerfdhcp, type PerfdhcpReport } from './parse-perfdhcp.ts'

export interface DhcpMeasurement {
  /** Exchanges of four messages that the server completes in a second, at the offered rate that suits it best. */
  exchangesPerSecond: number
  /** The 99th percentile of the time to an answer at `latencyRate`; one that did not come counts as `patienceMs`. */
  p99Ms: number
  /** Messages without an answer at `latencyRate`. */
  unanswered: number
}

/** Clients that the exchanges are of, at random. */
export const clients = 2000
/** Exchanges offered a second: beyond what a server can do it loses more by the messages that it drops than it gains. */
export const offeredRates = [500, 1000, 2000, 4000] as const
/** Exchanges a second while the time to an answer is measured: five hundred machines within two and a half seconds. */
export const latencyRate = 200
const seconds = 2
/** perfdhcp gives a message up after this time. */
const patienceMs = 1000

/** A PXE client of BIOS firmware: options 60 and 93. */
const asked = ['-o', `60,${Buffer.from('PXEClient:Arch:00000:UNDI:002001').toString('hex')}`, '-o', '93,0000']

/** Measures whoever serves DHCP now by Kea's perfdhcp, which plays a relay agent with many clients behind it. */
export async function measureDhcp(start: Start): Promise<DhcpMeasurement> {
  let best = 0
  for (const rate of offeredRates) best = Math.max(best, (await runPerfdhcp(rate, start)).completed / seconds)
  // Last, when the server has been up for some time.
  const calm = await runPerfdhcp(latencyRate, start)
  const times = [...calm.latenciesMs, ...Array<number>(calm.unanswered).fill(patienceMs)]
  return { exchangesPerSecond: best, p99Ms: percentileOf(times, 99), unanswered: calm.unanswered }
}

async function runPerfdhcp(rate: number, start: Start): Promise<PerfdhcpReport> {
  const [program, ...inNamespace] = atClients
  const waitUs = 500_000
  const args = ['-4', '-r', String(rate), '-p', String(seconds), '-R', String(clients), '-W', String(waitUs), '-x', 't', ...asked, benchNetwork.address]
  // It exits with 3 when an exchange was not completed, which is a result too.
  const perfdhcp = await start(program, [...inNamespace, 'perfdhcp', ...args])
  const output = await text(perfdhcp.stdout!)
  await perfdhcp.ended
  return parsePerfdhcp(output)
}
