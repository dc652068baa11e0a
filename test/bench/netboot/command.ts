import { join } from 'node:path'
import { Option, type Command } from 'commander'
import { IngotError } from '../../../server/errors.ts'
import { runInNamespace } from '../../../server/rack/namespace.ts'
import type { BenchContext } from '../context.ts'
import { benchDirectory, parts, type NetbootBenchTask, type Part } from './options.ts'
import { wholeNumber } from '../whole-number.ts'

const directory = benchDirectory(join(import.meta.dirname, '../../../.ingot'))

/** `bench netboot`: DHCP, TFTP, HTTP and a boot storm, beside dnsmasq, Kea, tftpd-hpa and nginx. */
export const addNetboot = (program: Command, context: BenchContext): Command =>
  program
    .command('netboot')
    .summary('DHCP, TFTP, HTTP and a boot storm, beside dnsmasq, Kea, tftpd-hpa and nginx')
    .description(
      'Serves the same files on the same cable by Ingot and by its peers, in turn, to the same clients: DHCP by perfdhcp, beside dnsmasq and Kea; TFTP by 1 and 50 atftp, beside dnsmasq and tftpd-hpa; kernel and initramfs over HTTP by wrk with 1 and 50 connections, beside nginx; and a storm of simulated machines that are powered on at once (DHCP, iPXE by TFTP, DHCP, script), beside dnsmasq with nginx. All of it lives in network namespaces that end with the command.\nNeeds root.',
    )
    .option('--runs <number>', 'how often each side is measured', wholeNumber('--runs', 100), 3)
    .option('--machines <number>', 'machines of the boot storm', wholeNumber('--machines', 10_000), 500)
    .addOption(new Option('--parts <names...>', 'what is measured').choices(parts).default(parts))
    .option('--json', 'JSON in place of the tables')
    .action(({ runs, machines, parts: chosen, json = false }: { runs: number; machines: number; parts: readonly Part[]; json?: boolean }) =>
      bench({ parts: chosen, rounds: runs, machines, json }, context),
    )

async function bench(options: NetbootBenchTask['options'], { start, signal, exit }: BenchContext): Promise<void> {
  if (process.getuid?.() !== 0) throw new IngotError('host-lacks', 'the benchmark makes network namespaces, which needs root: run it with sudo')
  const task: NetbootBenchTask = { options, directory }
  exit(await runInNamespace({ entry: join(import.meta.dirname, 'inside.ts'), args: [JSON.stringify(task)], outside: false, signal, start }))
}
