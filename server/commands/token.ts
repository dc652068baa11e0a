import { Option, type Command } from 'commander'
import { roles, type Role } from '../api/role.ts'
import { tokenNamePattern, type ListedToken } from '../api/token.ts'
import { IngotError } from '../errors.ts'
import type { CommandContext } from './context.ts'
import { renderTable } from './render-table.ts'
import { tokenPlace, withTokenPlace, type TokenPlaceOptions } from './token/token-place.ts'

const roleHelp = `
Roles:
  admin     all of it
  operator  sees all, and changes jobs, machines and images
  viewer    sees all and changes nothing
  worker    takes jobs; a machine that boots is given its own`

function checkName(name: string): string {
  if (new RegExp(tokenNamePattern, 'u').test(name)) return name
  throw new IngotError('argument-invalid', `--name: expected 1 to 100 printable characters, got ${JSON.stringify(name)}`)
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
export function addToken(program: Command, { print, env, signal, columns }: CommandContext): Command {
  const token = program.command('token').summary('make, list and end credentials').description('Credentials of people, scripts and workers. A server wants the token of an admin for it; who has its data directory needs none.')
  withTokenPlace(token.command('create'))
    .description('Makes a credential and prints it, once: only its hash is kept. It works at once in a running server.')
    .addOption(new Option('--role <role>', 'what it allows').choices(roles).makeOptionMandatory())
    .option('--name <name>', 'whose it is, for the records')
    .addHelpText('after', `${roleHelp}\n\nExamples:\n  ingot token create --role operator --data /var/lib/ingot --name ci\n  ingot token create --role viewer --name wall --server http://10.77.0.1:8080`)
    .action(async (options: TokenPlaceOptions & { role: Role; name?: string }) => {
      const made = await tokenPlace(options, { env, signal }).create({ role: options.role, name: checkName(options.name ?? options.role) })
      const { id, role, name, credential } = made
      print(options.json === true ? JSON.stringify({ id, role, name, credential }) : credential)
    })
  withTokenPlace(token.command('list'))
    .description('Shows the credentials that have not ended, by an id that tells nothing of them.')
    .addHelpText('after', '\nExample:\n  ingot token list --data /var/lib/ingot')
    .action(async (options: TokenPlaceOptions) => {
      const tokens = await tokenPlace(options, { env, signal }).list()
      if (options.json === true) return print(JSON.stringify(tokens))
      if (tokens.length === 0) return print('no credential was made here yet')
      for (const line of render(tokens, columns)) print(line)
    })
  withTokenPlace(token.command('revoke'))
    .description('Ends a credential and the sessions that were signed in with it. A running server refuses it within a second.')
    .argument('<token>', 'its id as `ingot token list` shows it, or its name')
    .addHelpText('after', '\nExample:\n  ingot token revoke 9f86d081884c --data /var/lib/ingot')
    .action(async (wanted: string, options: TokenPlaceOptions) => {
      const place = tokenPlace(options, { env, signal })
      const chosen = choose(await place.list(), wanted)
      await place.revoke(chosen)
      print(options.json === true ? JSON.stringify(chosen) : `${chosen.id} (${chosen.role}, ${chosen.name}) is worth nothing any more`)
    })
  return token
}
