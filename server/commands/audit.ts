import type { Command } from 'commander'
import { readAuditLog, type AuditEntry } from '../audit/audit-log.ts'
import type { CommandContext } from './context.ts'
import { renderTable } from './render-table.ts'

interface AuditOptions {
  data: string
  name?: string
  refused?: true
  json?: true
}

const cellsOf = ({ time, name = '', role, method, object, status, address = '' }: AuditEntry): string[] => [time, name, role ?? '', method, object, status === undefined ? '' : String(status), address]

/** `ingot audit`: who did what when. */
export const addAudit = (program: Command, { print, columns }: CommandContext): Command =>
  program
    .command('audit')
    .summary('show who did what when')
    .description('Shows what people and scripts changed, who signed in, which machines were given a credential, and what was refused, oldest first.')
    .requiredOption('--data <directory>', 'data directory of the first computer')
    .option('--name <name>', 'only what was done with tokens of this name')
    .option('--refused', 'only what was refused for want of a right')
    .option('--json', 'machine-readable output')
    .addHelpText('after', '\nExamples:\n  ingot audit --data /var/lib/ingot --name ada\n  ingot audit --data /var/lib/ingot --refused --json')
    .action(async ({ data, name, refused, json }: AuditOptions) => {
      const entries = (await readAuditLog(data)).filter((entry) => (name === undefined || entry.name === name) && (refused !== true || entry.status === 401 || entry.status === 403))
      if (json === true) return print(JSON.stringify(entries))
      if (entries.length === 0) return print('nothing of that kind is written down')
      for (const line of renderTable(['TIME', 'NAME', 'ROLE', 'METHOD', 'OBJECT', 'STATUS', 'FROM'], entries.map(cellsOf), columns)) print(line)
    })
