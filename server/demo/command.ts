import { join, resolve } from 'node:path'
import { Option, type Command } from 'commander'
import type { CommandContext } from '../commands/context.ts'
import { IngotError } from '../errors.ts'
import { diskBuses, firmwares, nicModels, type DiskBus, type Firmware, type NicModel } from '../rack/machine-spec.ts'
import { demoPaths } from './options.ts'
import { prepareAppliance } from './prepare-appliance.ts'

interface DemoFlags {
  firmware: Firmware
  nic: NicModel
  disk: DiskBus
  memory: number
  machines: number
  recipe: string
  recipes: string[]
  secureBoot?: boolean
  offline?: boolean
  json?: boolean
  keep?: boolean
}

const cacheDirectory = join(import.meta.dirname, '../../.ingot')

/** `ingot demo`: the main job on this machine, from power-on to an image that boots by itself. */
export const addDemo = (program: Command, context: CommandContext): Command =>
  program
    .command('demo')
    .summary('turn a bare virtual machine into an image and boot it, on this host')
    .description(
      'Starts a first computer and a virtual rack in namespaces of their own, powers on bare machines, and follows them from DHCP to the finished image, which then boots by itself with each firmware of its recipe.\nNeeds root. Exit code: 0 every part happened, 1 one failed, 130 stopped.',
    )
    .addOption(new Option('--firmware <kind>', 'firmware of the bare machines').choices(firmwares).default('bios'))
    .addOption(new Option('--nic <model>', 'their network card').choices(nicModels).default('virtio-net-pci'))
    .addOption(new Option('--disk <bus>', 'how their disk is attached').choices(diskBuses).default('virtio'))
    .option('--memory <MiB>', 'their memory', numberFrom('--memory', 256, 65_536), 1024)
    .option('--machines <number>', 'how many at once', numberFrom('--machines', 1, 32), 1)
    .option('--recipe <name>', 'what to build', 'debian-12')
    .option('--recipes <folder...>', 'further folders of recipes, beside those that ship with Ingot', [])
    .option('--secure-boot', 'the UEFI machines that the image is proven on have Secure Boot on')
    .option('--offline', 'no outside network: everything comes from the caches of an earlier run')
    .option('--json', 'one line of JSON per event in place of the picture')
    .option('--keep', "keep the machines' disks")
    .addHelpText('after', '\nExamples:\n  sudo ingot demo\n  sudo ingot demo --firmware uefi --recipe debian-12-nginx')
    .action((flags: DemoFlags) => demo(flags, context))

async function demo({ memory, recipes, secureBoot = false, offline = false, json = false, keep = false, ...flags }: DemoFlags, context: CommandContext): Promise<void> {
  const { run, start, log, signal, env, exit } = context
  if (process.getuid?.() !== 0) throw new IngotError('host-lacks', 'the demo makes network namespaces, which needs root: run it with sudo')
  const output = process.stdout
  // What goes well is told by the timeline.
  const quiet = log.child({}, { level: 'warn' })
  const colours = output.isTTY && env.NO_COLOR === undefined
  const { runDemo } = await import('./run-demo.ts')
  exit(
    await runDemo({
      options: { ...flags, memoryMiB: memory, recipes: recipes.map((folder) => resolve(folder)), secureBoot, offline, json, keep, colours },
      paths: demoPaths(cacheDirectory),
      prepareAppliance: (directory, onProgress) => prepareAppliance({ directory, offline, run, log: quiet, onProgress, signal }),
      ...{ start, output, signal },
    }),
  )
}

const numberFrom =
  (option: string, minimum: number, maximum: number) =>
  (text: string): number => {
    const number = Number(text)
    if (Number.isInteger(number) && number >= minimum && number <= maximum) return number
    throw new IngotError('argument-invalid', `${option}: expected a whole number from ${minimum} to ${maximum}, got "${text}"`)
  }
