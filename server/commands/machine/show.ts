import type { Command } from 'commander'
import type { MachineEvent } from '../../api/event.ts'
import { IngotError } from '../../errors.ts'
import { describeEvent } from '../../timeline/describe-event.ts'
import { renderClock } from '../../timeline/render-time.ts'
import { splitBoots } from '../../timeline/split-boots.ts'
import type { CommandContext } from '../context.ts'
import { machineId } from '../machine-id.ts'
import { oneLine, renderTable } from '../render-table.ts'
import { machineSource, withMachineSource, type MachineSource, type MachineSourceOptions } from './machine-source.ts'
import { renderStanding } from './render-standing.ts'

/** `ingot machine show`: the hops of one machine, where it stopped and the likely cause. */
export const addMachineShow = (machine: Command, { print, env, signal, columns }: CommandContext): Command =>
  withMachineSource(machine.command('show'))
    .description('Shows the hops of a machine since it was powered on, and where it stopped and the likely cause if it did.')
    .argument('<machine>', 'id of the machine: its MAC address')
    .option('--all', 'its earlier boots too')
    .option('--log', 'the end of the log of its latest job too, with what its kernel said since the boot')
    .addHelpText('after', '\nExamples:\n  ingot machine show 52-54-00-12-34-56\n  ingot machine show 52-54-00-12-34-56 --log')
    .action(async (name: string, options: MachineSourceOptions & { all?: true; log?: true }) => {
      const id = machineId(name)
      const source = machineSource(options, { env, signal })
      const timeline = await source.timeline(id)
      if (timeline === undefined) {
        throw new IngotError('argument-invalid', `nothing was heard of the machine ${id}: it sends no DHCP request that reaches this network, or its MAC address is another; "ingot machines" shows all`)
      }
      if (options.json === true) return print(JSON.stringify(timeline))
      print(id)
      for (const line of renderStanding(timeline.now)) print(`  ${oneLine(line)}`)
      const boots = splitBoots(timeline.events)
      for (const boot of options.all === true ? boots : boots.slice(-1)) for (const line of renderBoot(boot, columns)) print(line)
      if (options.log === true) for (const line of await endOfLog(source, timeline.events)) print(line)
    })

const logLines = 40

/** The last lines of the log of the latest job. */
async function endOfLog(source: MachineSource, events: readonly MachineEvent[]): Promise<string[]> {
  const job = events.flatMap((event) => (event.hop === 'claim' ? [event.job] : [])).at(-1)
  const log = job === undefined ? undefined : await source.log(job)
  if (log === undefined) return ['', 'it has no log of a job']
  const lines = log.trimEnd().split('\n').slice(-logLines)
  return ['', `log of job ${job}:`, ...lines.map((line) => `  ${oneLine(line)}`)]
}

/** A table of what happened, with the time since the first of it. */
function renderBoot(events: readonly MachineEvent[], width: number | undefined): string[] {
  const first = events[0]
  if (first === undefined) return []
  const rows = events.map((event) => {
    const { what, detail } = describeEvent(event)
    return [event.time, renderClock(Date.parse(event.time) - Date.parse(first.time)).padStart(8), what, detail]
  })
  return ['', ...renderTable(['TIME', '    SINCE', 'HOP', ''], rows, width)]
}
