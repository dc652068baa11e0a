import { mkdir, rm } from 'node:fs/promises'
import { run, start } from '../../../appliance/run.ts'
import { insideNamespace } from '../../../server/rack/inside-namespace.ts'
import { createBenchNetwork } from './bench-network.ts'
import { measureRound, type Round } from './measure-round.ts'
import type { NetbootBenchTask } from './options.ts'
import { renderReport } from './render-report.ts'
import { makeServedFiles } from './served-files.ts'
import { summarise } from './summarise.ts'

/** The part of `bench netboot` that runs in namespaces of its own; its only argument is a `NetbootBenchTask`. */
const { options, directory } = JSON.parse(process.argv[2] ?? '{}') as NetbootBenchTask
const say = (line: string): void => void process.stderr.write(`${line}\n`)

await insideNamespace(run, async (signal) => {
  try {
    await rm(directory, { recursive: true, force: true })
    await mkdir(directory, { recursive: true })
    await createBenchNetwork(run)
    const files = await makeServedFiles(directory)
    const rounds: Round[] = []
    for (let number = 1; number <= options.rounds; number++) {
      rounds.push(await measureRound({ options, files, directory, run, start, say: (line) => say(`${number}/${options.rounds} ${line}`), signal }))
    }
    const report = summarise(options, rounds)
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `\n${renderReport(report).join('\n')}\n`)
    return 0
  } catch (error) {
    if (signal.aborted) return 130
    say(`bench: ${error instanceof Error ? error.message : String(error)}`)
    return 1
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
