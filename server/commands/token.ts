import { userInfo } from 'node:os'
import { Option, type Command } from 'commander'
import { roles, type Role } from '../api/role.ts'
import { openAuditLog } from '../audit/audit-log.ts'
import { IngotError } from '../errors.ts'
import { openTokens, type ListedToken } from '../tokens.ts'
import type { CommandContext } from './context.ts'
import { renderTable } from './render-table.ts'

const roleHelp = `
Roles:
  admin     all of it
  operator  sees all, and changes jobs, machines and images
  viewer    sees all and changes nothing
  worker    takes jobs; a machine that boots is given its own`

const withData = (command: Command): Command =>
  command.requiredOption('--data <directory>', 'data directory of the first computer').option('--json', 'machine-readable output')

/** What stands in records and lists of people: one line, not too long. */
function checkName(name: string): string {
  if (/^[^\p{Cc}\p{Cf}]{1,100}$/u.test(name)) return name
  throw new IngotError('argument-invalid', `--name: expected 1 to 100 printable characters, got ${JSON.stringify(name)}`)
}

/** Who has the data directory does as they like; that they did it is written down all the same. */
async function audit(data: string, method: string, object: string): Promise<void> {
  const log = openAuditLog(data)
  log.write({ name: `${userInfo().username} on this host`, method, object })
  await log.close()
}

const render = (tokens: readonly ListedToken[], width: number | undefined): string[] =>
  renderTable(['ID', 'ROLE', 'NAME', 'CREATED', 'ENDS'], tokens.map(({ id, role, name, createdAt, expiresAt = '' }) => [id, role, name, createdAt, expiresAt]), width)

/** The token that is meant: by its id, or by its name when no other has that. */
function choose(tokens: readonly ListedToken[], wanted: string): ListedToken {
  const found = tokens.filter(({ id, name }) => id === wanted || name === wanted)
  if (found.length === 1) return found[0]!
  if (found.length === 0) throw new IngotError('argument-invalid', `token: expected the id or name of one that \`ingot token list\` shows, got "${wanted}"`)
  throw new IngotError('argument-invalid', `token: ${found.length} have the name "${wanted}"; expected the id of one of them`, { problems: render(found, undefined) })
}

/** `ingot token create|list|revoke`: the credentials of people, scripts and workers. */
export function addToken(program: Command, { print, columns }: CommandContext): Command {
  const token = program.command('token').summary('make, list and end credentials').description('Credentials of people, scripts and workers.')
  withData(token.command('create'))
    .description('Makes a credential and prints it, once: only its hash is kept. It works at once in a running server.')
    .addOption(new Option('--role <role>', 'what it allows').choices(roles).makeOptionMandatory())
    .option('--name <name>', 'whose it is, for the records')
    .addHelpText('after', `${roleHelp}\n\nExample:\n  ingot token create --role operator --data /var/lib/ingot --name ci`)
    .action(async (options: { role: Role; data: string; name?: string; json?: true }) => {
      const name = checkName(options.name ?? options.role)
      const credential = await openTokens(options.data).create({ role: options.role, name })
      await audit(options.data, 'token create', `${options.role} ${name}`)
      print(options.json === true ? JSON.stringify({ role: options.role, name, credential }) : credential)
    })
  withData(token.command('list'))
    .description('Shows the credentials that have not ended, by an id that tells nothing of them.')
    .addHelpText('after', '\nExample:\n  ingot token list --data /var/lib/ingot')
    .action(async (options: { data: string; json?: true }) => {
      const tokens = await openTokens(options.data).list()
      if (options.json === true) return print(JSON.stringify(tokens))
      if (tokens.length === 0) return print('no credential was made here yet')
      for (const line of render(tokens, columns)) print(line)
    })
  withData(token.command('revoke'))
    .description('Ends a credential and the sessions that were signed in with it. A running server refuses it within a second.')
    .argument('<token>', 'its id as `ingot token list` shows it, or its name')
    .addHelpText('after', '\nExample:\n  ingot token revoke 9f86d081884c --data /var/lib/ingot')
    .action(async (wanted: string, options: { data: string; json?: true }) => {
      const tokens = openTokens(options.data)
      const chosen = choose(await tokens.list(), wanted)
      await tokens.revoke(chosen.id)
      await audit(options.data, 'token revoke', `${chosen.role} ${chosen.name} ${chosen.id}`)
      print(options.json === true ? JSON.stringify(chosen) : `${chosen.id} (${chosen.role}, ${chosen.name}) is worth nothing any more`)
    })
  return token
}
