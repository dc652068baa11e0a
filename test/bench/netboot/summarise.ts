import { percentileOf, spreadOf, type Spread } from '../statistics.ts'
import type { Round } from './measure-round.ts'
import type { NetbootBenchOptions, Part, ServerName } from './options.ts'

/** One thing that was measured of several servers. */
export interface Row {
  part: Part
  /** For example `50 clients, 512 bytes, window 8`. */
  name: string
  unit: 'exchanges/s' | 'ms' | 'MB/s' | 's'
  figures: { server: ServerName; spread: Spread }[]
  /** How good Ingot is, as a multiple of the best of the others in the same round: more than 1 is better than all of them. */
  ratio: Spread
  /** The least ratio that is wanted; none where a figure is only told. */
  goal?: number
}

/** What `bench netboot --json` prints. */
export interface NetbootReport {
  rounds: number
  machines: number
  rows: Row[]
  /** Messages of the storm that had to be sent again because no answer came in time, in the worst round. */
  repeated: { server: ServerName; dhcp: number; tftp: number }[]
}

export const goals = { dhcp: 0.8, tftp: 1, http: 0.9, storm: undefined } as const satisfies Record<Part, number | undefined>

type Values = Partial<Record<ServerName, number>> & { ingot: number }
const lessIsBetter: readonly Row['unit'][] = ['ms', 's']

function rowOf({ part, name, unit }: Pick<Row, 'part' | 'name' | 'unit'>, rounds: readonly Values[]): Row {
  const servers = Object.keys(rounds[0] ?? {}) as ServerName[]
  const ratioOf = ({ ingot, ...others }: Values): number => {
    const values = Object.values(others)
    return lessIsBetter.includes(unit) ? Math.min(...values) / ingot : ingot / Math.max(...values)
  }
  const goal = goals[part]
  return {
    part,
    name,
    unit,
    figures: servers.map((server) => ({ server, spread: spreadOf(rounds.map((round) => round[server] ?? 0)) })),
    ratio: spreadOf(rounds.map(ratioOf)),
    ...(goal === undefined ? {} : { goal }),
  }
}

const mapValues = <Key extends string, From, To>(values: Record<Key, From>, map: (value: From) => To): Record<Key, To> =>
  Object.fromEntries(Object.entries<From>(values).map(([key, value]) => [key, map(value)])) as Record<Key, To>
const inMegabytes = <Key extends string>(values: Record<Key, number>) => mapValues(values, (bytes) => bytes / 1_000_000)
const plural = (clients: number) => `${clients} client${clients === 1 ? '' : 's'}`

export function summarise({ machines }: Pick<NetbootBenchOptions, 'machines'>, rounds: readonly Round[]): NetbootReport {
  const dhcp = rounds.flatMap((round) => round.dhcp ?? [])
  const storm = rounds.flatMap((round) => round.storm ?? [])
  const rows: Row[] = []
  if (dhcp.length > 0) {
    rows.push(rowOf({ part: 'dhcp', name: 'exchanges', unit: 'exchanges/s' }, dhcp.map((each) => mapValues(each, ({ exchangesPerSecond }) => exchangesPerSecond))))
    rows.push(rowOf({ part: 'dhcp', name: 'p99 of an answer', unit: 'ms' }, dhcp.map((each) => mapValues(each, ({ p99Ms }) => p99Ms))))
  }
  for (const [index, { clients, blockBytes, windowBlocks }] of (rounds[0]?.tftp ?? []).entries()) {
    const name = `${plural(clients)}, ${blockBytes} bytes, window ${windowBlocks}`
    rows.push(rowOf({ part: 'tftp', name, unit: 'MB/s' }, rounds.map((round) => inMegabytes(round.tftp![index]!.bytesPerSecond))))
  }
  for (const [index, { clients }] of (rounds[0]?.http ?? []).entries()) {
    rows.push(rowOf({ part: 'http', name: plural(clients), unit: 'MB/s' }, rounds.map((round) => inMegabytes(round.http![index]!.bytesPerSecond))))
  }
  if (storm.length > 0) {
    rows.push(rowOf({ part: 'storm', name: 'all have their script', unit: 's' }, storm.map((each) => mapValues(each, ({ allServedMs }) => allServedMs / 1000))))
    rows.push(rowOf({ part: 'storm', name: 'half of them have it', unit: 's' }, storm.map((each) => mapValues(each, ({ servedMs }) => percentileOf(servedMs, 50) / 1000))))
  }
  const most = (server: keyof (typeof storm)[number], of: 'dhcp' | 'tftp') => Math.max(...storm.map((each) => each[server].repeated[of]))
  const repeated = (['ingot', 'dnsmasq + nginx'] as const).map((server) => ({ server, dhcp: most(server, 'dhcp'), tftp: most(server, 'tftp') }))
  return { rounds: rounds.length, machines, rows, repeated: storm.length > 0 ? repeated : [] }
}
