import type { Command } from 'commander'
import prettyBytes from 'pretty-bytes'
import { askServer } from '../http-client.ts'
import { openMachineStore, type MachineRecord } from '../machine-store.ts'
import type { CommandContext } from './context.ts'
import { parseKeyValues } from './key-values.ts'
import { machineId } from './machine-id.ts'
import { addPlan } from './machine/plan.ts'
import { addScratch } from './machine/scratch.ts'
import { serverAddress, withServerAndJson, type ServerOptions } from './server-options.ts'

/** `rack=b2 row=1`, or that there is none. */
const renderLabels = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ') || 'no labels'

const labelExamples = `
Examples:
  ingot machine label 52-54-00-12-34-56 rack=b2 row=1
  ingot machine label 52-54-00-12-34-56 row=
  ingot job add debian-12 --requires labels.rack=b2`

const admissions = [
  {
    action: 'admit',
    description: 'Lets a machine that boots from the network have a credential and jobs, also before it was ever seen. It asks by itself within seconds.',
    done: 'is admitted',
  },
  {
    action: 'refuse',
    description: 'Gives a machine neither credential nor job; what it holds is worth nothing from now on, and a job that it performs is lost.',
    done: 'is refused',
  },
] as const

/** `ingot machine list|scratch|plan|admit|refuse|release|label`: the machines that a first computer has seen. */
export function addMachine(program: Command, context: CommandContext): Command {
  const { print, env } = context
  const machine = program.command('machine').summary('list, admit and label machines, and mark disks that may be overwritten').description('The machines that a first computer has seen, in its data directory.')
  machine
    .command('list')
    .description('Shows each machine with its disks.')
    .requiredOption('--data <directory>', 'data directory of the first computer')
    .option('--json', 'machine-readable output')
    .action(async (options: { data: string; json?: true }) => {
      const machines = await openMachineStore(options.data).list()
      if (options.json === true) return print(JSON.stringify(machines))
      if (machines.length === 0) return print('no machine has booted from here yet')
      for (const { id, inventory, admission, scratchSerials, labels, system } of machines) {
        print(`${id}  ${inventory === undefined ? '' : `${inventory.manufacturer} ${inventory.model}, ${inventory.firmware}, ${prettyBytes(inventory.memoryBytes, { binary: true })}`}`)
        if (admission?.state === 'waiting') print(`  waits to be admitted since ${admission.at}: ingot machine admit ${id}`)
        if (admission?.state === 'refused') print(`  refused by ${admission.by} at ${admission.at}`)
        if (system !== undefined) print(`  system  ${system.image}:${system.version}, deployed by ${system.job} at ${system.deployedAt}; it boots its disk`)
        if (Object.keys(labels).length > 0) print(`  labels  ${renderLabels(labels)}`)
        for (const disk of inventory?.disks ?? []) {
          const marking = scratchSerials.includes(disk.serial) ? 'scratch: may be overwritten' : disk.contents.length === 0 ? 'empty' : `kept: ${disk.contents.join(', ')}`
          print(`  ${disk.device}  ${disk.model || disk.transport}  S/N ${disk.serial || '(none)'}  ${prettyBytes(disk.sizeBytes)}  ${marking}`)
        }
      }
    })
  addScratch(machine, context)
  addPlan(machine, context)
  withServerAndJson(machine.command('release'))
    .description('Gives a machine that an image was deployed to back to the list: it boots the worker again. Its disk stays as it is.')
    .argument('<machine>', 'id of the machine: its MAC address')
    .addHelpText('after', '\nExample:\n  ingot machine release 52-54-00-12-34-56')
    .action(async (name: string, options: ServerOptions) => {
      const id = machineId(name)
      await askServer(serverAddress(options, env), `/machines/${encodeURIComponent(id)}/system`, { method: 'DELETE' })
      print(options.json === true ? JSON.stringify({ id }) : `${id}: boots the worker again`)
    })
  for (const { action, description, done } of admissions) {
    withServerAndJson(machine.command(action))
      .description(description)
      .argument('<machine>', 'id of the machine: its MAC address')
      .addHelpText('after', `\nExample:\n  ingot machine ${action} 52-54-00-12-34-56`)
      .action(async (mac: string, options: ServerOptions) => {
        const id = machineId(mac)
        const answer = await askServer(serverAddress(options, env), `/machines/${encodeURIComponent(id)}/${action}`, { method: 'POST' })
        print(options.json === true ? JSON.stringify(await answer.json()) : `${id}: ${done}`)
      })
  }
  withServerAndJson(machine.command('label'))
    .description('Gives a machine labels, which jobs may require; `key=` takes one away. Without labels it shows those that the machine has.')
    .argument('<machine>', 'id of the machine: its MAC address, or the name of its credential')
    .argument('[labels...]', 'key=value')
    .addHelpText('after', labelExamples)
    .action(async (name: string, given: string[], options: ServerOptions) => {
      const address = serverAddress(options, env)
      const id = machineId(name)
      const { machines } = (await (await askServer(address, '/machines.json')).json()) as { machines: MachineRecord[] }
      const known = machines.find((each) => each.id === id)?.labels ?? {}
      const labels = Object.fromEntries(Object.entries({ ...known, ...Object.fromEntries(parseKeyValues(given)) }).filter(([, value]) => value !== ''))
      if (given.length > 0) {
        await askServer(address, `/machines/${encodeURIComponent(id)}/labels`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ labels }),
        })
      }
      print(options.json === true ? JSON.stringify({ id, labels }) : `${id}: ${renderLabels(labels)}`)
    })
  return machine
}
