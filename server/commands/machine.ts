import type { Command } from 'commander'
import { askServer } from '../http-client.ts'
import type { MachineRecord } from '../machine-store.ts'
import type { CommandContext } from './context.ts'
import { parseKeyValues } from './key-values.ts'
import { addMachineConsole } from './machine/console.ts'
import { addMachineList } from './machine/list.ts'
import { renderLabels } from './machine/render-labels.ts'
import { addMachineShow } from './machine/show.ts'
import { machineId } from './machine-id.ts'
import { addPlan } from './machine/plan.ts'
import { addScratch } from './machine/scratch.ts'
import { serverAddress, withServerAndJson, type ServerOptions } from './server-options.ts'

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

/** `ingot machine list|show|console|scratch|plan|admit|refuse|release|label`: the machines that a first computer has seen; `ingot machines` is `ingot machine list`. */
export function addMachine(program: Command, context: CommandContext): Command {
  const { print, env, signal } = context
  const machine = program.command('machine').summary('where machines are and why they stopped; admit and label them, disks that may be overwritten').description('The machines that a first computer has seen.')
  addMachineList(machine.command('list'), context)
  addMachineList(program.command('machines').summary('the same as `ingot machine list`'), context)
  addMachineShow(machine, context)
  addMachineConsole(machine, context)
  addScratch(machine, context)
  addPlan(machine, context)
  withServerAndJson(machine.command('release'))
    .description('Gives a machine that an image was deployed to back to the list: it boots the worker again. Its disk stays as it is.')
    .argument('<machine>', 'id of the machine: its MAC address')
    .addHelpText('after', '\nExample:\n  ingot machine release 52-54-00-12-34-56')
    .action(async (name: string, options: ServerOptions) => {
      const id = machineId(name)
      await askServer(serverAddress(options, { env, signal }), `/machines/${encodeURIComponent(id)}/system`, { method: 'DELETE' })
      print(options.json === true ? JSON.stringify({ id }) : `${id}: boots the worker again`)
    })
  for (const { action, description, done } of admissions) {
    withServerAndJson(machine.command(action))
      .description(description)
      .argument('<machine>', 'id of the machine: its MAC address')
      .addHelpText('after', `\nExample:\n  ingot machine ${action} 52-54-00-12-34-56`)
      .action(async (mac: string, options: ServerOptions) => {
        const id = machineId(mac)
        const answer = await askServer(serverAddress(options, { env, signal }), `/machines/${encodeURIComponent(id)}/${action}`, { method: 'POST' })
        print(options.json === true ? JSON.stringify(await answer.json()) : `${id}: ${done}`)
      })
  }
  withServerAndJson(machine.command('label'))
    .description('Gives a machine labels, which jobs may require; `key=` takes one away. Without labels it shows those that the machine has.')
    .argument('<machine>', 'id of the machine: its MAC address, or the name of its credential')
    .argument('[labels...]', 'key=value')
    .addHelpText('after', labelExamples)
    .action(async (name: string, given: string[], options: ServerOptions) => {
      const address = serverAddress(options, { env, signal })
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
