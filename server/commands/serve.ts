import { once } from 'node:events'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { configWithoutNetboot, readConfigFile, type Config } from '../config.ts'
import { IngotError } from '../errors.ts'
import { addressOf } from '../tls/address-of.ts'
import { renderUnit } from '../systemd/render-unit.ts'
import type { CommandContext } from './context.ts'

interface ServeOptions {
  config?: string
  netboot: boolean
  data?: string
  listen?: string
  systemdUnit?: true
}

/** `ingot serve`: a first computer. */
export const addServe = (program: Command, context: CommandContext): Command =>
  program
    .command('serve')
    .summary('run a first computer: boot services, job list, images')
    .description('Runs a first computer until it is stopped by Ctrl-C or SIGTERM. Every wrong field of its configuration is told before any socket opens.')
    .option('--config <file>', 'configuration, ingot.yaml')
    .option('--no-netboot', 'a job server without boot services, given by --data and --listen instead of a file')
    .option('--data <directory>', 'data directory (with --no-netboot)')
    .option('--listen <address:port>', 'where HTTP listens, and HTTPS 363 ports above unless that is a loopback address (with --no-netboot)')
    .option('--systemd-unit', 'print a systemd unit that runs it by --config, with no more rights than it needs, and end')
    .addHelpText(
      'after',
      '\nExamples:\n  ingot serve --config /etc/ingot/ingot.yaml --systemd-unit > /etc/systemd/system/ingot.service\n  ingot serve --config /etc/ingot/ingot.yaml\n  ingot serve --no-netboot --data /var/lib/ingot --listen 192.0.2.1:8080',
    )
    .action((options: ServeOptions) => serve(options, context))

async function readConfig({ config, netboot, data, listen }: ServeOptions): Promise<Config> {
  if (config !== undefined) {
    if (data !== undefined || listen !== undefined) throw new IngotError('argument-invalid', '--data and --listen stand in the file of --config: expected one or the other, got both')
    const parsed = await readConfigFile(config)
    return netboot ? parsed : { ...parsed, netboot: undefined }
  }
  if (netboot) throw new IngotError('argument-invalid', 'expected --config FILE, or --no-netboot with --data and --listen, got neither')
  if (data === undefined || listen === undefined) {
    const missing = [...(data === undefined ? ['--data DIR'] : []), ...(listen === undefined ? ['--listen ADDRESS:PORT'] : [])]
    throw new IngotError('argument-invalid', `--no-netboot: expected ${missing.join(' and ')}, got none`)
  }
  return configWithoutNetboot({ data, listen })
}

/** Where this package's program is, whatever it is linked from. */
const program = join(import.meta.dirname, '../ingot')

async function serve(options: ServeOptions, { run, start, log, signal, print }: CommandContext): Promise<void> {
  const config = await readConfig(options)
  if (options.systemdUnit === true) {
    if (options.config === undefined) throw new IngotError('argument-invalid', '--systemd-unit: expected --config FILE beside it, got none')
    const { dataDirectory } = config
    return print(renderUnit({ program, configPath: resolve(options.config), dataDirectory, netboot: config.netboot !== undefined }).trimEnd())
  }
  // Loaded here only: it is most of Ingot, and each command would wait for it.
  const { startFirstComputer } = await import('../first-computer.ts')
  const server = await startFirstComputer({ config, log, run, start })
  log.info({ url: server.url, ...addressOf(server), data: config.dataDirectory, netboot: config.netboot !== undefined }, 'first computer up')
  if (!signal.aborted) await once(signal, 'abort')
  log.info({ reason: String(signal.reason) }, 'first computer stops')
  await server.close()
}
