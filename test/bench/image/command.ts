import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { IngotError } from '../../../server/errors.ts'
import type { BenchContext } from '../context.ts'
import { measureRound, type Round } from './measure-round.ts'
import { imagePaths, planRounds, type ImageOptions } from './options.ts'
import { prepareDisks } from './prepare-disks.ts'
import { renderReport } from './render-report.ts'
import { summarise } from './summarise.ts'
import { wholeNumber } from '../whole-number.ts'

const paths = imagePaths(join(import.meta.dirname, '../../../.ingot'))

/** `bench image`: capture and restore of a disk beside partclone, dd and casync. */
export const addImage = (program: Command, context: BenchContext): Command =>
  program
    .command('image')
    .summary('capture and restore of a disk, beside partclone, dd and casync')
    .description(
      'Images a disk of 4 GiB with Debian 12, the same disk with one more package, and the same disk with one file changed, and writes the first one back: Ingot over HTTP to its own image server, partclone.ext4 | zstd -T0 and dd | zstd -T0 over TCP into a file, and casync into a store. Reports seconds, processor seconds of both ends, bytes, and the ratios that Ingot is held to. Ingot also reads back what it stored and what it restored, which the others do not. casync is measured once, whatever --runs says. With --quick only the first disk is imaged and written back, beside partclone alone.\nNeeds root; the first run makes the disks.',
    )
    .option('--runs <number>', 'how often each side is measured', wholeNumber('--runs', 100), 3)
    .option('--quick', 'only the first disk, beside partclone alone')
    .option('--json', 'JSON in place of the table')
    .action(({ runs, quick = false, json = false }: { runs: number; quick?: boolean; json?: boolean }) => bench({ rounds: runs, quick, json }, context))

async function bench({ json, ...options }: ImageOptions, { run, start, say, log, signal }: BenchContext): Promise<void> {
  if (process.getuid?.() !== 0) throw new IngotError('host-lacks', 'the benchmark makes loop devices, which needs root: run it with sudo')
  await mkdir(paths.cache, { recursive: true })
  const disks = await prepareDisks({ directory: paths.cache, run, log, onProgress: (line) => say(`disks: ${line}`), signal })
  const plans = planRounds(options)
  const parts = plans.reduce((sum, { sides, scenarios }) => sum + sides.length * (scenarios.length + 1), 0)
  const startMs = performance.now()
  let part = 0
  const tell = (line: string) => say(`${clock(performance.now() - startMs)}  ${String(++part).padStart(2)} of ${parts}  ${line}`)
  const measured: Round[] = []
  try {
    for (const plan of plans) {
      await rm(paths.run, { recursive: true, force: true })
      await mkdir(paths.run, { recursive: true })
      measured.push(await measureRound({ ...plan, disks, directory: paths.run, run, start, say: tell, signal }))
    }
  } finally {
    await rm(paths.run, { recursive: true, force: true })
  }
  const report = summarise(measured)
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${renderReport(report).join('\n')}\n`)
}

/** Minutes and seconds, for example `3:07`. */
const clock = (ms: number): string => `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, '0')}`
