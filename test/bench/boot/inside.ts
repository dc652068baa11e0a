import { join } from 'node:path'
import pino from 'pino'
import { run, start } from '../../../appliance/run.ts'
import { accelerator } from '../../../server/rack/accelerator.ts'
import { insideNamespace } from '../../../server/rack/inside-namespace.ts'
import { MachineFailure } from '../../../server/rack/machine-failure.ts'
import { createNetwork } from '../../../server/rack/network.ts'
import { measureClaim } from './measure-claim.ts'
import { measureInstaller } from './measure-installer.ts'
import type { BootTask } from './options.ts'
import { renderReport } from './render-report.ts'
import { summarise, type Round } from './summarise.ts'

/** The part of `bench boot` that runs in the rack's namespaces; its only argument is a `BootTask`. */
const { options, paths, installer } = JSON.parse(process.argv[2] ?? '{}') as BootTask
const say = (line: string): void => void process.stderr.write(`${line}\n`)

await insideNamespace(run, async (signal) => {
  const log = pino({ level: 'warn', base: null }, pino.destination({ dest: join(paths.run, 'log'), sync: true }))
  try {
    await createNetwork(run)
    const found = await accelerator(run)
    const rounds: Round[] = []
    for (let number = 1; number <= options.rounds; number++) {
      const context = (side: string) => ({
        ...{ firmware: options.firmware, accelerator: found, directory: join(paths.run, `${number}-${side}`) },
        ...{ log, run, start, signal },
      })
      const tell = (what: string, ms: number): void => say(`round ${number} of ${options.rounds}: ${what} ${(ms / 1000).toFixed(1)} s after power-on`)
      const claim = await measureClaim({ ...context('ingot'), appliance: paths.appliance })
      tell('job claimed', claim.marks.at(-1)!.atMs)
      const network = await measureInstaller({ ...context('installer'), installer })
      tell("Debian's installer uses its network", network.marks.at(-1)!.atMs)
      rounds.push({ claim, installer: network })
    }
    const report = summarise(rounds, { ...options, accelerator: found, installerVersion: installer.version })
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `\n${renderReport(report).join('\n')}\n`)
    return 0
  } catch (error) {
    if (signal.aborted) return 130
    say(`bench: ${error instanceof Error ? error.message : String(error)}`)
    if (error instanceof MachineFailure) for (const line of [...error.consoleTail, `its console: ${error.consolePath}`]) say(`  ${line}`)
    return 1
  }
})
