import type { Command } from 'commander'
import prettyBytes from 'pretty-bytes'
import { reasonsNeverPicked } from '../../api/choose-disk.ts'
import type { MachineStanding } from '../../api/timeline.ts'
import type { MachineRecord } from '../../machine-store.ts'
import type { CommandContext } from '../context.ts'
import { oneLine } from '../render-table.ts'
import { machineSource, withMachineSource, type MachineSourceOptions } from './machine-source.ts'
import { renderLabels } from './render-labels.ts'
import { renderStanding } from './render-standing.ts'

/** `ingot machine list` and `ingot machines`: each machine with where it is now and what it is. */
export const addMachineList = (command: Command, { print, env, signal }: CommandContext): Command =>
  withMachineSource(command)
    .description('Shows each machine: where it is now and why it stopped if it did, its hardware and its disks.')
    .addHelpText('after', '\nExamples:\n  ingot machines\n  ingot machine list --json')
    .action(async (options: MachineSourceOptions) => {
      const source = machineSource(options, { env, signal })
      const [records, standings] = await Promise.all([source.records(), source.standings()])
      const ids = [...new Set([...records.map(({ id }) => id), ...standings.keys()])].toSorted()
      const machines = ids.map((id) => ({ ...(records.find((each) => each.id === id) ?? { id, scratchSerials: [], labels: {} }), now: standings.get(id) }))
      if (options.json === true) return print(JSON.stringify(machines))
      if (machines.length === 0) return print('no machine has booted from here yet')
      for (const machine of machines) for (const line of renderMachine(machine)) print(oneLine(line))
    })

function renderMachine({ id, inventory, admission, scratchSerials, labels, system, now }: MachineRecord & { now: MachineStanding | undefined }): string[] {
  const disks = (inventory?.disks ?? []).map((disk) => {
    const kept = [...reasonsNeverPicked(disk), ...(disk.unfit ?? [])]
    const held = disk.contents.length === 0 ? 'empty' : `kept: ${disk.contents.join(', ')}`
    const marking = kept.length > 0 ? `kept: ${kept.join(', ')}` : scratchSerials.includes(disk.serial) ? 'scratch: may be overwritten' : held
    return `  ${disk.device}  ${disk.model || disk.transport}  S/N ${disk.serial || '(none)'}  ${prettyBytes(disk.sizeBytes)}  ${marking}`
  })
  return [
    `${id}  ${inventory === undefined ? '' : `${inventory.manufacturer} ${inventory.model}, ${inventory.firmware}, ${prettyBytes(inventory.memoryBytes, { binary: true })}`}`.trimEnd(),
    ...(admission?.state === 'waiting' ? [`  waits to be admitted since ${admission.at}: ingot machine admit ${id}`] : []),
    ...(admission?.state === 'refused' ? [`  refused by ${admission.by} at ${admission.at}`] : []),
    ...(now === undefined ? [] : renderStanding(now).map((line) => `  ${line}`)),
    ...(system === undefined ? [] : [`  system  ${system.image}:${system.version}, deployed by ${system.job} at ${system.deployedAt}; it boots its disk`]),
    ...(Object.keys(labels).length === 0 ? [] : [`  labels  ${renderLabels(labels)}`]),
    ...disks,
  ]
}
