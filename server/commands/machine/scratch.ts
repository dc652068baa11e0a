import type { Command } from 'commander'
import { IngotError } from '../../errors.ts'
import { askServer } from '../../http-client.ts'
import { openMachineStore } from '../../machine-store.ts'
import type { CommandContext } from '../context.ts'
import { machineId } from '../machine-id.ts'
import { serverAddress, withServerAndJson, type ServerOptions } from '../server-options.ts'

const examples = `
Examples:
  ingot machine scratch 52-54-00-12-34-56 S4EWNX0M123456
  ingot machine scratch 52-54-00-12-34-56 S4EWNX0M123456 --unmark
  ingot machine scratch 52-54-00-12-34-56 S4EWNX0M123456 --data /var/lib/ingot`

/** `ingot machine scratch MACHINE SERIAL`: jobs may overwrite that disk (F1), or may no more. */
export function addScratch(machine: Command, { print, env, signal }: CommandContext): void {
  withServerAndJson(machine.command('scratch'))
    .summary('let jobs overwrite a disk')
    .description('Marks a disk of a machine, by serial number, as one that jobs may overwrite though it holds data. An empty disk needs no mark.')
    .argument('<machine>', 'id of the machine: its MAC address')
    .argument('<serial>', 'serial number of the disk, as `ingot machine list` shows it')
    .option('--unmark', 'take the mark away')
    .option('--data <directory>', 'data directory of a first computer, in place of asking one')
    .addHelpText('after', examples)
    .action(async (mac: string, serial: string, options: ServerOptions & { data?: string; unmark?: true }) => {
      const id = machineId(mac)
      if (serial.trim() === '') throw new IngotError('argument-invalid', 'serial: expected the serial number of a disk, got none; a disk without one cannot be marked')
      const { data, unmark = false } = options
      if (data === undefined) {
        const path = `/machines/${encodeURIComponent(id)}/scratch/${encodeURIComponent(serial)}`
        await askServer(serverAddress(options, { env, signal }), path, { method: unmark ? 'DELETE' : 'PUT' })
      } else {
        if (!/^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/.test(id)) throw new IngotError('argument-invalid', `machine: expected a MAC address like 52-54-00-12-34-56, got "${mac}"`)
        const machines = openMachineStore(data)
        await (unmark ? machines.unmarkScratch(id, serial) : machines.markScratch(id, serial))
      }
      if (options.json === true) return print(JSON.stringify({ id, serial, scratch: !unmark }))
      print(unmark ? `${id}: jobs may overwrite the disk ${serial} only while it is empty` : `${id}: jobs may overwrite the disk ${serial}`)
    })
}
