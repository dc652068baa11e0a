import type { Command } from 'commander'
import prettyBytes from 'pretty-bytes'
import { IngotError } from '../errors.ts'
import { openMachineStore } from '../machine-store.ts'
import type { CommandContext } from './context.ts'

/** `ingot machine list|scratch`: the machines that a first computer has seen. */
export function addMachine(program: Command, { print }: CommandContext): Command {
  const machine = program.command('machine').summary('list machines, and mark disks that may be overwritten').description('The machines that a first computer has seen, in its data directory.')
  machine
    .command('list')
    .description('Shows each machine with its disks.')
    .requiredOption('--data <directory>', 'data directory of the first computer')
    .option('--json', 'machine-readable output')
    .action(async (options: { data: string; json?: true }) => {
      const machines = await openMachineStore(options.data).list()
      if (options.json === true) return print(JSON.stringify(machines))
      if (machines.length === 0) return print('no machine has booted from here yet')
      for (const { id, inventory, scratchSerials } of machines) {
        print(`${id}  ${inventory === undefined ? '' : `${inventory.manufacturer} ${inventory.model}, ${inventory.firmware}, ${prettyBytes(inventory.memoryBytes, { binary: true })}`}`)
        for (const disk of inventory?.disks ?? []) {
          const marking = scratchSerials.includes(disk.serial) ? 'scratch: may be overwritten' : disk.contents.length === 0 ? 'empty' : `kept: ${disk.contents.join(', ')}`
          print(`  ${disk.device}  ${disk.model || disk.transport}  S/N ${disk.serial || '(none)'}  ${prettyBytes(disk.sizeBytes)}  ${marking}`)
        }
      }
    })
  machine
    .command('scratch')
    .description('Marks a disk of a machine, by serial number, as one that jobs may overwrite though it holds data. An empty disk needs no mark.')
    .argument('<machine>', 'id of the machine: its MAC address')
    .argument('<serial>', 'serial number of the disk, as `ingot machine list` shows it')
    .requiredOption('--data <directory>', 'data directory of the first computer')
    .addHelpText('after', '\nExample:\n  ingot machine scratch 52-54-00-12-34-56 S4EWNX0M123456 --data /var/lib/ingot')
    .action(async (mac: string, serial: string, options: { data: string }) => {
      const id = mac.toLowerCase().replaceAll(':', '-')
      if (!/^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/.test(id)) throw new IngotError('argument-invalid', `machine: expected a MAC address like 52-54-00-12-34-56, got "${mac}"`)
      if (serial.trim() === '') throw new IngotError('argument-invalid', 'serial: expected the serial number of a disk, got none; a disk without one cannot be marked')
      await openMachineStore(options.data).markScratch(id, serial)
      print(`${id}: jobs may overwrite the disk ${serial}`)
    })
  return machine
}
