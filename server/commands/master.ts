import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { IngotError } from '../errors.ts'
import { parseMasterConfig } from '../master/master-config.ts'
import { addressOf } from '../tls/address-of.ts'
import type { CommandContext } from './context.ts'

const help = `
Example of a master.yaml:
  data: /var/lib/ingot-master
  listen: 192.0.2.1:8080
  firstComputers:
    - name: hall-a
      url: https://10.77.0.1:8443
      fingerprint: sha256:9f86…               # as \`ingot tls show\` tells there
      credentials: { worker: ingot_worker_…, operator: ingot_operator_… }
    - name: hall-b
      url: https://10.78.0.1:8443
      fingerprint: sha256:60303…
      credentials: { worker: ingot_worker_…, operator: ingot_operator_… }

Examples:
  ingot token create --role worker --name master --data /var/lib/ingot          # on each first computer, and the same with operator
  ingot master --config /etc/ingot/master.yaml
  ingot token create --role worker --name rack --data /var/lib/ingot-master     # for the \`servers\` of the first computers that boot workers
  INGOT_SERVER=https://192.0.2.1:8443 ingot job list`

/** `ingot master`: one job server in front of several first computers. */
export const addMaster = (program: Command, context: CommandContext): Command =>
  program
    .command('master')
    .summary('run a master: one job list in front of several first computers')
    .description(
      'Runs a master until it is stopped by Ctrl-C or SIGTERM. Workers and operators use it as they use a first computer: it merges the job lists of several, by\npriority, and passes everything else on to the first computer of the job. Every wrong field of its configuration is told before any socket opens.',
    )
    .requiredOption('--config <file>', 'configuration, master.yaml')
    .addHelpText('after', help)
    .action(({ config }: { config: string }) => master(config, context))

async function master(path: string, { log, run, signal }: CommandContext): Promise<void> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new IngotError('config-invalid', `the configuration cannot be read: ${error.message}`, { cause: error })
  })
  const config = parseMasterConfig(text, path)
  // Loaded here only: it is most of Ingot, and each command would wait for it.
  const { startMaster } = await import('../master/start-master.ts')
  const running = await startMaster({ config, log, run })
  log.info({ url: running.url, ...addressOf(running), data: config.dataDirectory, firstComputers: config.firstComputers.map(({ name }) => name) }, 'master up')
  if (!signal.aborted) await once(signal, 'abort')
  log.info({ reason: String(signal.reason) }, 'master stops')
  await running.close()
}
