import { Option, type Command } from 'commander'
import { roles, type Role } from '../http/auth.ts'
import { openTokens } from '../tokens.ts'
import type { CommandContext } from './context.ts'

/** `ingot token create`: a credential for a person, a script or a worker. */
export function addToken(program: Command, { print }: CommandContext): Command {
  const token = program.command('token').summary('make credentials').description('Credentials of people, scripts and workers.')
  token
    .command('create')
    .description('Makes a credential and prints it, once: only its hash is kept. It works at once in a running server.')
    .addOption(new Option('--role <role>', 'what it allows').choices(roles).makeOptionMandatory())
    .requiredOption('--data <directory>', 'data directory of the first computer')
    .option('--name <name>', 'whose it is, for the records')
    .option('--json', 'machine-readable output')
    .addHelpText('after', '\nExample:\n  ingot token create --role operator --data /var/lib/ingot --name ci')
    .action(async (options: { role: Role; data: string; name?: string; json?: true }) => {
      const name = options.name ?? options.role
      const credential = await openTokens(options.data).create({ role: options.role, name })
      print(options.json === true ? JSON.stringify({ role: options.role, name, credential }) : credential)
    })
  return token
}
