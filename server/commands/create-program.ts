import { Command } from 'commander'
import { addDemo } from '../demo/command.ts'
import { version } from '../version.ts'
import { addAppliance } from './appliance.ts'
import { addAudit } from './audit.ts'
import { addCompletion } from './completion.ts'
import type { CommandContext } from './context.ts'
import { addDeploy } from './deploy.ts'
import { addDoctor } from './doctor.ts'
import { addImage } from './image.ts'
import { addJob } from './job.ts'
import { addMachine } from './machine.ts'
import { addMaster } from './master.ts'
import { addRecipe } from './recipe.ts'
import { addServe } from './serve.ts'
import { addTls } from './tls.ts'
import { addToken } from './token.ts'

const help = `
Each command tells more, with examples: ingot COMMAND --help

Exit codes:
  0    done
  1    it did not succeed, or what was asked about is not as it should be
  2    wrong arguments, configuration or input, or the server refused
  70   a defect of ours
  130  stopped by Ctrl-C`

/** Every command of `ingot`. Parsing throws `CommanderError` in place of an exit. */
export function createProgram(context: CommandContext): Command {
  const program = new Command('ingot')
    .description('Turns bare machines into finished, bootable software images.')
    .version(version)
    .addHelpText('after', help)
    .showHelpAfterError('(add --help for what is possible)')
    .exitOverride()
  for (const add of [addServe, addMaster, addAppliance, addJob, addDeploy, addRecipe, addImage, addMachine, addToken, addTls, addAudit, addDoctor, addDemo, addCompletion]) add(program, context)
  return program
}
