import type { Command } from 'commander'
import type { Job } from '../api/job.ts'
import { askServer } from '../http-client.ts'
import type { CommandContext } from './context.ts'
import { deployFrom, withDeploy, type DeployOptions } from './job/deploy-options.ts'
import { choicesFrom, placeFrom, withConditions, withPlace, type ChoiceOptions, type PlaceOptions } from './job/job-choices.ts'
import { serverAddress, withServerAndJson, type ServerOptions } from './server-options.ts'

const examples = `
Examples:
  ingot deploy debian-12-nginx --machine 52-54-00-12-34-56 --hostname web-1 --ssh-key ~/.ssh/id_ed25519.pub
  ingot deploy debian-12:debian-12-20261123-1 --requires labels.rack=b2 --user ops --sudo --ssh-key keys.pub
  ingot deploy debian-12 --machine 52-54-00-12-34-56 --network 192.0.2.10/24 --gateway 192.0.2.1 --name-servers 192.0.2.1
The machine boots its disk afterwards, until a job is pushed to it or \`ingot machine release\` gives it back.
Exit code: 0 the job is on the list, 2 the server refused or an argument is wrong.`

/** `ingot deploy IMAGE[:VERSION]`: puts a job on the list that writes an image onto the disk of a machine. */
export function addDeploy(program: Command, { print, env, signal }: CommandContext): Command {
  const command = program
    .command('deploy')
    .summary('write an image onto the disk of a machine')
    .description('Puts a job on the list of a first computer or master that writes an image onto the disk of a machine, which is its system from then on.')
    .argument('<image>', 'name of an image, with :VERSION or @DIGEST for another than the newest')
    .option('--id <id>', 'what the job is called (default: the image and the time)')
    .option('--machine <machine>', 'this machine, and no other (default: the first that asks)')
  return withPlace(withConditions(withDeploy(withServerAndJson(command))))
    .addHelpText('after', examples)
    .action(async (image: string, options: ServerOptions & DeployOptions & ChoiceOptions & PlaceOptions & { id?: string; machine?: string }) => {
      const { id, machine } = options
      const place = placeFrom(options)
      const wanted = {
        ...(id === undefined ? {} : { id }),
        deploy: await deployFrom(image, options),
        ...choicesFrom({ ...options, ...(machine === undefined ? {} : { assign: machine }) }),
        ...(place === undefined ? {} : { place }),
      }
      const answer = await askServer(serverAddress(options, { env, signal }), '/jobs', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wanted) })
      const made = (await answer.json()) as Job
      print(options.json === true ? JSON.stringify(made) : made.id)
    })
}
