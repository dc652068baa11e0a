import type { Command } from 'commander'
import type { AuditAnswer, AuditEntry } from '../api/audit.ts'
import { wasRefused } from '../audit/audit-log.ts'
import { readAudit } from '../audit/read-audit.ts'
import { askServer } from '../http-client.ts'
import type { CommandContext } from './context.ts'
import { renderTable } from './render-table.ts'
import { serverAddress, withServerAndJson, type Asker, type ServerOptions } from './server-options.ts'

interface AuditOptions extends ServerOptions {
  data?: string
  name?: string
  refused?: true
}

const cellsOf = ({ time, name = '', role, method, object, status, address = '' }: AuditEntry): string[] => [time, name, role ?? '', method, object, status === undefined ? '' : String(status), address]

async function fromServer(options: AuditOptions, asker: Asker): Promise<AuditEntry[]> {
  const address = serverAddress(options, asker)
  const { name, refused } = options
  const query = new URLSearchParams({ ...(name === undefined ? {} : { name }), ...(refused === true ? { refused: 'true' } : {}) })
  const entries: AuditEntry[] = []
  let path: string | undefined = `/audit.json?${query}`
  while (path !== undefined) {
    const answer = await askServer(address, path)
    entries.push(...((await answer.json()) as AuditAnswer).entries)
    path = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1]
  }
  return entries
}

async function fromDirectory(data: string, { name, refused }: AuditOptions): Promise<AuditEntry[]> {
  const accept = (entry: AuditEntry): boolean => (name === undefined || entry.name === name) && (refused !== true || wasRefused(entry))
  return (await readAudit(data, { limit: Infinity, accept }))?.entries ?? []
}

/** `ingot audit`: who did what when. */
export const addAudit = (program: Command, { print, env, signal, columns }: CommandContext): Command =>
  withServerAndJson(program.command('audit'))
    .summary('show who did what when')
    .description('Shows what people and scripts changed, who signed in, which machines were given a credential, and what was refused, oldest first.')
    .option('--data <directory>', 'data directory of a first computer or master, in place of the server')
    .option('--name <name>', 'only what was done with tokens of this name')
    .option('--refused', 'only what was refused for want of a right')
    .addHelpText('after', '\nExamples:\n  ingot audit --name ada\n  ingot audit --data /var/lib/ingot --refused --json')
    .action(async (options: AuditOptions) => {
      const entries = await (options.data === undefined ? fromServer(options, { env, signal }) : fromDirectory(options.data, options))
      if (options.json === true) return print(JSON.stringify(entries))
      if (entries.length === 0) return print('nothing of that kind is written down')
      for (const line of renderTable(['TIME', 'NAME', 'ROLE', 'METHOD', 'OBJECT', 'STATUS', 'FROM'], entries.map(cellsOf), columns)) print(line)
    })
