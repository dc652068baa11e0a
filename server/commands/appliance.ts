import type { Command } from 'commander'
import prettyBytes from 'pretty-bytes'
import { loadAppliance, type Appliance } from '../../appliance/os/load-appliance.ts'
import { defaultMirrors } from '../config.ts'
import type { CommandContext } from './context.ts'

interface BuildCommandOptions {
  out: string
  mirror: string
  securityMirror: string
  force?: true
  json?: true
}

/** `ingot appliance build|show`: the minimal Linux that machines boot. */
export function addAppliance(program: Command, { run, log, print, say, signal }: CommandContext): Command {
  const appliance = program
    .command('appliance')
    .summary('build the minimal Linux that machines boot')
    .description('The minimal Linux that machines boot: Debian’s signed kernel, an initramfs (stage 1), and Node with the worker (stage 2).')

  const show = (built: Appliance, json: boolean) => {
    if (json) return print(JSON.stringify(built.manifest))
    const { kernel, initramfs, stage2, inventory, tools } = built.manifest.outputs
    for (const [name, output] of Object.entries({ kernel, initramfs, stage2, inventory, tools })) {
      print(`${name.padEnd(10)} ${prettyBytes(output.sizeBytes).padStart(8)}  ${output.digest}`)
    }
    const toClaim = kernel.sizeBytes + initramfs.sizeBytes + stage2.sizeBytes
    print(`\n${prettyBytes(toClaim)} are transferred until a machine claims a job; what looks the machine over comes after that, and the tools come with the job.\nIn ${built.directory}; manifest.json tells every package and file.`)
  }

  appliance
    .command('build')
    .description('Builds the appliance, or reuses the built one when nothing that goes into it has changed.')
    .option('--out <directory>', 'where it is kept: <data directory>/appliance of the first computer', '.ingot/appliance')
    .option('--mirror <url>', 'Debian archive', defaultMirrors.debian)
    .option('--security-mirror <url>', 'Debian security archive', defaultMirrors['debian-security'])
    .option('--force', 'build even when nothing has changed')
    .option('--json', 'print the manifest')
    .addHelpText('after', '\nExample:\n  sudo ingot appliance build --out /var/lib/ingot/appliance')
    .action(async (options: BuildCommandOptions) => {
      let said = ''
      const { buildAppliance } = await import('../../appliance/os/build-appliance.ts')
      const built = await buildAppliance({
        directory: options.out,
        mirror: options.mirror,
        securityMirror: options.securityMirror,
        force: options.force ?? false,
        run,
        log,
        signal,
        progress: ({ step, detail, done, total }) => {
          const line = `[${(done ?? 0) + 1}/${total}] ${step}${detail === undefined ? '' : `: ${detail}`}`
          if (line !== said) say((said = line))
        },
      })
      say(built.reused ? 'nothing has changed: the built appliance is reused' : 'built')
      show(built, options.json === true)
    })

  appliance
    .command('show')
    .description('Shows what the built appliance holds.')
    .option('--out <directory>', 'where it is kept', '.ingot/appliance')
    .option('--json', 'print the manifest')
    .addHelpText('after', '\nExample:\n  ingot appliance show --out /var/lib/ingot/appliance')
    .action(async (options: { out: string; json?: true }) => show(await loadAppliance(options.out), options.json === true))
  return appliance
}
