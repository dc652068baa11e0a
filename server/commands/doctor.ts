import { Option, type Command } from 'commander'
import { readConfigFile } from '../config.ts'
import { IngotError } from '../errors.ts'
import { reportOtherServers } from '../netboot/check-other-servers.ts'
import { hostFacts, hostNeeds, installPackages, missingPackages, purposes, type HostFact, type Purpose } from '../host-needs.ts'
import { accelerator } from '../rack/accelerator.ts'
import type { CommandContext } from './context.ts'

interface DoctorOptions {
  for: Purpose
  config?: string
  install?: true
  json?: true
}

/** `ingot doctor`: what this host lacks and how to get it. Exits with 1 when something is missing. */
export const addDoctor = (program: Command, context: CommandContext): Command =>
  program
    .command('doctor')
    .summary('say what this host lacks and how to get it')
    .description('Says what this host lacks for a purpose and how to get it.\nExit code: 0 all is there, 1 something is missing.')
    .addOption(new Option('--for <purpose>', 'what the host is for').choices(purposes).default('serve'))
    .option('--config <file>', 'also check a configuration, and who else serves its boot network')
    .option('--install', 'install missing packages by apt (needs root)')
    .option('--json', 'machine-readable output')
    .addHelpText('after', '\nExamples:\n  sudo ingot doctor --install\n  sudo ingot doctor --config /etc/ingot/ingot.yaml')
    .action((options: DoctorOptions) => doctor(options, context))

async function doctor(options: DoctorOptions, { run, print, say, exit }: CommandContext): Promise<void> {
  const needs = hostNeeds.filter((need) => need.for.includes(options.for))
  let missing = await missingPackages(needs, run)
  if (options.install === true && missing.length > 0) {
    if (process.getuid?.() !== 0) throw new IngotError('host-lacks', 'installing packages needs root: run it with sudo')
    say(`installing ${missing.length} Debian packages: ${missing.map((need) => need.package).join(' ')}`)
    await installPackages(missing, { run, onLine: (line) => /^(Get:|Unpacking|Setting up|E:|W:)/.test(line) && say(`  ${line}`) })
    missing = await missingPackages(needs, run)
  }
  const facts = [...(await hostFacts(options.for)), ...(options.config === undefined ? [] : await networkFacts(options.config, run))]
  const runsMachines = options.for !== 'appliance'
  const virtual = runsMachines && !missing.some((need) => need.package === 'qemu-system-x86') ? await accelerator(run) : undefined
  const good = missing.length === 0 && facts.every((fact) => fact.good)
  if (options.json === true) {
    print(JSON.stringify({ purpose: options.for, good, missing: missing.map(({ package: name, why }) => ({ package: name, why })), facts, accelerator: virtual }))
  } else {
    const line = (mark: string, name: string, text: string) => print(`${mark} ${name.padEnd(24)} ${text}`)
    if (missing.length === 0) line('✓', 'packages', `all ${needs.length} are installed`)
    for (const need of missing) line('✗', need.package, need.why)
    for (const fact of facts) line(fact.good ? '✓' : '✗', fact.name, fact.good || fact.remedy === '' ? fact.found : `${fact.found}: ${fact.remedy}`)
    if (virtual !== undefined) line('✓', 'virtual machines', virtual === 'kvm' ? 'KVM runs guests' : 'no working KVM: guests are emulated, several times slower')
    if (missing.length > 0) print(`\nTo install what is missing:\n  sudo apt-get install --no-install-recommends ${missing.map((need) => need.package).join(' ')}`)
  }
  exit(good ? 0 : 1)
}

/** Whether the boot network of a configuration is free for what the configuration wants; looking takes four seconds. Throws as `readConfigFile` does. */
async function networkFacts(path: string, run: CommandContext['run']): Promise<HostFact[]> {
  const { netboot } = await readConfigFile(path)
  if (netboot === undefined) return []
  const { problems, warnings } = await reportOtherServers({ ...netboot, run })
  const fact = (good: boolean) => (found: string): HostFact => ({ name: 'boot network', good, found, remedy: '' })
  const told = [...problems.map(fact(netboot.allowOtherServers)), ...warnings.map(fact(true))]
  return told.length > 0 ? told : [fact(true)(`no other DHCP or PXE server answers on ${netboot.interfaceName}`)]
}
