import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { OverviewSnapshot } from '../../../server/api/overview.ts'
import { openBrowser } from '../../server/web/browser.ts'
import { fillData } from '../../server/web/fill-data.ts'
import type { BenchContext } from '../context.ts'
import { startBenchServer } from '../jobs/job-server.ts'
import { wholeNumber } from '../whole-number.ts'
import { measureRound } from './measure-round.ts'
import type { ConsoleBenchOptions, ConsoleRound } from './options.ts'
import { servePlainPage } from './plain-page.ts'
import { renderReport } from './render-report.ts'
import { summarise } from './summarise.ts'

/** `bench console`: how soon the console shows something, and how soon a change, beside a plain page of the same. */
export const addConsole = (program: Command, context: BenchContext): Command =>
  program
    .command('console')
    .summary('time to the first machine and job in the console, and to a change, beside a plain page')
    .description(
      'Serves a first computer with many machines and a long list, and looks at its console with Chromium: the time from entering the address, with nothing kept, until the first machine and the first job are painted, and from a change of a job until that is painted. Beside it the same as one plain page of HTML, without a script, which is read anew to see a change.',
    )
    .option('--machines <number>', 'machines on the rack', wholeNumber('--machines', 10_000), 500)
    .option('--jobs <number>', 'jobs on the list', wholeNumber('--jobs', 100_000), 10_000)
    .option('--runs <number>', 'how often each side is measured', wholeNumber('--runs', 100), 5)
    .option('--json', 'JSON in place of the table')
    .action(({ machines, jobs, runs, json = false }: { machines: number; jobs: number; runs: number; json?: boolean }) => bench({ machines, jobs, rounds: runs, json }, context))

async function bench(options: ConsoleBenchOptions, { start, say, signal }: BenchContext): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-bench-'))
  const closers: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })]
  try {
    const server = await startBenchServer({ directory, jobs: options.jobs, fill: (folder) => fillData(folder, options), start })
    closers.push(() => server.stop())
    const overview = async () => (await (await fetch(`${server.url}/overview.json`, { headers: { authorization: `Bearer ${server.operatorToken}` } })).json()) as OverviewSnapshot
    const plain = await servePlainPage(overview)
    closers.push(() => plain.close())
    const browser = await openBrowser()
    closers.push(() => browser.close())
    const job = (await overview()).jobs[0]!.id
    const rounds: ConsoleRound[] = []
    // The first lets everything get warm and is not counted.
    for (let number = 0; number <= options.rounds; number++) {
      signal.throwIfAborted()
      const round = await measureRound({ browser, server, plainUrl: plain.url, job, number })
      if (number === 0) continue
      rounds.push(round)
      say(`round ${number} of ${options.rounds}: console ${Object.values(round.console).map((ms) => ms.toFixed(0)).join(', ')} ms; plain page ${Object.values(round.plain).map((ms) => ms.toFixed(0)).join(', ')} ms`)
    }
    const report = summarise(options, rounds)
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `\n${renderReport(report).join('\n')}\n`)
  } finally {
    for (const close of closers.toReversed()) await close()
  }
}
