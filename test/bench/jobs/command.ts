import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import type { Command } from 'commander'
import { startPostgres, type TestPostgres } from '../../helpers/postgres.ts'
import type { BenchContext } from '../context.ts'
import { measureBareQueue } from './bare-queue.ts'
import { startBenchServer, type BenchServer } from './job-server.ts'
import { measureClaimsOf } from './measure-length.ts'
import type { Claims, JobsOptions } from './options.ts'
import { renderReport } from './render-report.ts'
import { runLoad } from './run-load.ts'
import { summarise, type LengthRound, type Round } from './summarise.ts'
import { wholeNumber } from '../whole-number.ts'

/** Processes that the workers are spread over. */
const loadProcesses = 1
/** Rounds of the comparison of lengths, after some that let both servers get warm. */
const lengthRounds = 20
const warmUpRounds = 10

/** `bench jobs`: how fast jobs are claimed over HTTP, beside a bare queue in PostgreSQL, and what a long list costs. */
export const addJobs = (program: Command, context: BenchContext): Command =>
  program
    .command('jobs')
    .summary('claims a second of many workers, beside a bare queue in PostgreSQL')
    .description(
      'Lets many workers ask a server for jobs and claim them over HTTP until the list is empty: a list in files, one in PostgreSQL, and beside them a bare queue in the same PostgreSQL (SELECT … FOR UPDATE SKIP LOCKED, then UPDATE, in one transaction, without HTTP), in turn. Then measures what a claim costs on a list of 100 jobs and on one of 100,000.',
    )
    .option('--workers <number>', 'workers that ask at the same time', wholeNumber('--workers', 1_000_000), 1000)
    .option('--jobs <number>', 'jobs on the list', wholeNumber('--jobs', 1_000_000), 10_000)
    .option('--runs <number>', 'how often each side is measured', wholeNumber('--runs', 1_000_000), 3)
    .option('--json', 'JSON in place of the table')
    .action(({ workers, jobs, runs, json = false }: { workers: number; jobs: number; runs: number; json?: boolean }) => bench({ workers, jobs, rounds: runs, json }, context))

async function bench(options: JobsOptions, context: BenchContext): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'ingot-bench-'))
  let postgres: TestPostgres | undefined
  try {
    postgres = await startPostgres({ durable: true })
    const bed = { ...options, ...context, home, postgres }
    const rounds: Round[] = []
    for (let number = 1; number <= options.rounds; number++) rounds.push(await measureRound(number, bed))
    const lengths = { files: await measureLengths('files', bed), postgres: await measureLengths('postgres', bed) }
    const report = summarise(options, rounds, lengths)
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `\n${renderReport(report).join('\n')}\n`)
  } finally {
    await postgres?.remove()
    await rm(home, { recursive: true, force: true })
  }
}

interface Bed extends JobsOptions, BenchContext {
  home: string
  postgres: TestPostgres
}

let servers = 0
const serve = async (store: 'files' | 'postgres', jobs: number, { home, postgres, start }: Bed): Promise<BenchServer> =>
  startBenchServer({ directory: join(home, `server-${++servers}`), jobs, start, ...(store === 'files' ? {} : { databaseUrl: await postgres.createDatabase() }) })

async function measureRound(number: number, bed: Bed): Promise<Round> {
  const { workers, jobs, postgres, start, say, rounds, signal } = bed
  const tell = (what: string, { askAndClaimMs, durationMs }: Claims): void =>
    say(`round ${number} of ${rounds}: ${what} ${askAndClaimMs.length} claims in ${(durationMs / 1000).toFixed(1)} s, ${((askAndClaimMs.length / durationMs) * 1000).toFixed(0)} a second`)
  const measure = async (store: 'files' | 'postgres'): Promise<Claims> => {
    signal.throwIfAborted()
    const server = await serve(store, jobs, bed)
    try {
      const claims = await runLoad({ url: server.url, token: server.workerToken, processes: loadProcesses, workers, claimsEach: jobs }, start)
      tell(store, claims)
      return claims
    } finally {
      await server.stop()
    }
  }
  const [files, inPostgres] = [await measure('files'), await measure('postgres')]
  const bare = await measureBareQueue({ databaseUrl: await postgres.createDatabase(), workers, jobs })
  tell('bare queue', bare)
  return { files, postgres: inPostgres, bare }
}

async function measureLengths(store: 'files' | 'postgres', bed: Bed): Promise<LengthRound[]> {
  const { start, say, signal } = bed
  const short = await serve(store, 100, bed)
  const long = await serve(store, 100_000, bed).catch(async (error: unknown) => {
    await short.stop()
    throw error
  })
  try {
    const all: LengthRound[] = []
    for (let number = 1; number <= warmUpRounds + lengthRounds; number++) {
      signal.throwIfAborted()
      all.push({ short: await measureClaimsOf(short, start), long: await measureClaimsOf(long, start) })
    }
    say(`${store}: lists of 100 and of 100,000 jobs compared`)
    return all.slice(warmUpRounds)
  } finally {
    await Promise.all([short.stop(), long.stop()])
  }
}
