// Runs inside the namespaces that `namespace.ts` makes: builds the network, runs the scenario, prints its result as the last line.
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { run } from '../../appliance/run.ts'
import type { Scenario, TestClient, TestNetwork } from './test-network.ts'

const bridge = 'boot0'
const ip = (...args: string[]) => run('ip', args)

/** What `ip netns`, DHCP clients and the scenario write goes to memory that is the namespace's own, so that nothing stays and nothing is shared. */
async function hideHostState(): Promise<void> {
  for (const folder of ['/run', '/var/lib/dhcp']) await run('mount', ['-t', 'tmpfs', 'tmpfs', folder])
  process.env.TMPDIR = '/run/tmp'
  await Promise.all(['/run/netns', '/run/tmp'].map((folder) => mkdir(folder)))
}

async function buildNetwork(): Promise<TestNetwork> {
  await ip('link', 'set', 'lo', 'up')
  await ip('link', 'add', bridge, 'type', 'bridge')
  await ip('address', 'add', '10.77.0.1/24', 'dev', bridge)
  await ip('link', 'set', bridge, 'up')
  return {
    interfaceName: bridge,
    address: '10.77.0.1',
    prefixLength: 24,
    directory: await mkdtemp(join(tmpdir(), 'scenario-')),
    async addTap(name) {
      await ip('tuntap', 'add', name, 'mode', 'tap')
      await ip('link', 'set', name, 'master', bridge, 'up')
    },
    addClient,
  }
}

async function addClient(name: string, mac: string): Promise<TestClient> {
  await ip('netns', 'add', name)
  await ip('link', 'add', `${name}-host`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name, 'address', mac)
  await ip('link', 'set', `${name}-host`, 'master', bridge, 'up')
  await ip('-n', name, 'link', 'set', 'lo', 'up')
  await ip('-n', name, 'link', 'set', 'eth0', 'up')
  return {
    name,
    machine: mac.replaceAll(':', '-'),
    run: (program, args, options) => run('ip', ['netns', 'exec', name, program, ...args], options),
  }
}

const [modulePath = '', input = '{}'] = process.argv.slice(2)
await hideHostState()
const { scenario } = (await import(pathToFileURL(modulePath).href)) as { scenario: Scenario }
const result = await scenario(await buildNetwork(), JSON.parse(input) as never)
// The result may be long, and what the scenario left running must not keep us.
process.stdout.write(`\n${JSON.stringify(result ?? null)}\n`, () => process.exit(0))
