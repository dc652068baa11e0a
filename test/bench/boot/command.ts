import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Option, type Command } from 'commander'
import { prepareAppliance } from '../../../server/demo/prepare-appliance.ts'
import { IngotError } from '../../../server/errors.ts'
import { firmwares, type Firmware } from '../../../server/rack/machine-spec.ts'
import { runInNamespace } from '../../../server/rack/namespace.ts'
import type { BenchContext } from '../context.ts'
import { prepareInstaller } from './debian-installer.ts'
import { bootPaths, type BootTask } from './options.ts'
import { wholeNumber } from '../whole-number.ts'

const paths = bootPaths(join(import.meta.dirname, '../../../.ingot'))

/** `bench boot`: from power-on to a claimed job, beside Debian's own network installer and beside the least that a network boot takes. */
export const addBoot = (program: Command, context: BenchContext): Command =>
  program
    .command('boot')
    .summary("from power-on to a claimed job, beside Debian's network installer")
    .description(
      "Boots a bare machine until its worker has claimed a job, and the same machine into Debian's network installer (auto=true priority=critical) until that has configured its network, in turn, in one virtual rack. Reports seconds since power-on and two ratios: of the claim to the installer's configured network (a), and to the first HTTP request of our stage 1 (b), which is the least that a boot over this path takes.\nNeeds root.",
    )
    .option('--runs <number>', 'boots of each', wholeNumber('--runs', 100), 3)
    .addOption(new Option('--firmware <kind>', 'firmware of the machine').choices(firmwares).default('bios'))
    .option('--json', 'JSON in place of the table')
    .action(({ runs, firmware, json = false }: { runs: number; firmware: Firmware; json?: boolean }) =>
      boot({ firmware, rounds: runs, json }, context),
    )

async function boot(options: BootTask['options'], { run, start, say, log, signal, exit }: BenchContext): Promise<void> {
  if (process.getuid?.() !== 0) throw new IngotError('host-lacks', 'the benchmark makes network namespaces, which needs root: run it with sudo')
  const appliance = await prepareAppliance({ directory: paths.appliance, offline: false, run, log, onProgress: (line) => say(`appliance: ${line}`), signal })
  say(`appliance: ${appliance}`)
  const installer = await prepareInstaller({ directory: paths.cache, run, log, onProgress: (line) => say(`installer: ${line}`), signal })
  say(`installer: debian-installer-12-netboot-amd64 ${installer.version}`)
  await rm(paths.run, { recursive: true, force: true })
  await mkdir(paths.run, { recursive: true })
  const task: BootTask = { options, paths, installer }
  exit(await runInNamespace({ entry: join(import.meta.dirname, 'inside.ts'), args: [JSON.stringify(task)], outside: false, signal, start }))
}
