import { Option, type Command } from 'commander'
import type { DiskPlan } from '../../api/disk-plan.ts'
import { IngotError } from '../../errors.ts'
import { askServer } from '../../http-client.ts'
import type { CommandContext } from '../context.ts'
import { parseKeyValues } from '../key-values.ts'
import { machineId } from '../machine-id.ts'
import { oneLine } from '../render-table.ts'
import { serverAddress, withServerAndJson, type ServerOptions } from '../server-options.ts'

const examples = `
Examples:
  ingot machine plan 52-54-00-12-34-56 debian-12
  ingot machine plan 52-54-00-12-34-56 --image debian-12-nginx --disk transport=nvme
  ingot machine plan 52-54-00-12-34-56 --job web-1 --json
Nothing is written: the answer is made from what the machine last told of its disks. The worker judges by the same rule, right before it writes.
Exit code: 0 the job would write that disk, 1 it would refuse, 2 the server refused or an argument is wrong.`

interface PlanOptions extends ServerOptions {
  image?: string
  job?: string
  disk?: string[]
}

/** `ingot machine plan MACHINE RECIPE`: what a job would erase there, or why it would not (F1). */
export function addPlan(machine: Command, { print, exit, env, signal }: CommandContext): void {
  withServerAndJson(machine.command('plan'))
    .summary('tell what a job would erase')
    .description('Tells what a job would erase on a machine, or why it would refuse.')
    .argument('<machine>', 'id of the machine: its MAC address')
    .argument('[recipe]', 'name of a recipe')
    .addOption(new Option('--image <image>', 'an image that would be deployed, in place of a recipe, with :VERSION for another than the newest').conflicts('job'))
    .option('--job <job>', 'a job that is on the list, in place of a recipe')
    .option('--disk <key=value...>', 'with --image, which disk is written: serial, wwn, model, transport, minSize, maxSize')
    .addHelpText('after', examples)
    .action(async (name: string, recipe: string | undefined, options: PlanOptions) => {
      const path = `/machines/${encodeURIComponent(machineId(name))}/plan?${new URLSearchParams(queryFrom(recipe, options))}`
      const plan = (await (await askServer(serverAddress(options, { env, signal }), path)).json()) as DiskPlan
      if (plan.verdict === 'refused') exit(1)
      if (options.json === true) return print(JSON.stringify(plan))
      for (const line of renderPlan(plan)) print(oneLine(line))
    })
}

function queryFrom(recipe: string | undefined, { image, job, disk = [] }: PlanOptions): Record<string, string> {
  if ([recipe, image, job].filter((each) => each !== undefined).length !== 1) throw new IngotError('argument-invalid', 'expected one of a recipe, --image and --job, got none or several of them')
  if (image === undefined) return { ...(recipe === undefined ? {} : { recipe }), ...(job === undefined ? {} : { job }), ...Object.fromEntries(parseKeyValues(disk)) }
  const [imageName = '', version] = image.split(/:(.*)/)
  return { image: imageName, ...(version === undefined ? {} : { version }), ...Object.fromEntries(parseKeyValues(disk)) }
}

function renderPlan({ machine, purpose, summary, seenAt, system, disks }: DiskPlan): string[] {
  return [
    `${machine}, ${purpose}: ${summary}`,
    ...(system === undefined ? [] : [`  its system ${system.image}:${system.version} was deployed by ${system.job} at ${system.deployedAt}`]),
    ...disks.map(({ disk, scratch, fate, reasons }) => {
      const name = `  ${disk.device}  ${disk.model || disk.transport}  S/N ${disk.serial || '(none)'}${scratch ? '  scratch' : ''}`
      return `${name}  ${fate === 'erased' ? 'ERASED' : `kept: ${reasons.join(', ')}`}`
    }),
    ...(seenAt === undefined ? [] : [`  as the machine told of its disks at ${seenAt}`]),
  ]
}
