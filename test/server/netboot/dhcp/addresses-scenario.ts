import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { run } from '../../../../appliance/run.ts'
import { openLeaseFile } from '../../../../server/netboot/dhcp/lease-file.ts'
import type { TestNetwork } from '../../../helpers/test-network.ts'
import { addresses, serve } from '../serve.ts'
import { askByUdhcpc } from './dhcp-client.ts'

/** What `addresses.test.ts` checks: who is given which address, and who none. */
export async function scenario(network: TestNetwork) {
  const { directory } = network
  const warnings: { msg: string; address?: string; user?: string }[] = []
  const lines = new Writable({ write: (line: Buffer, _, done) => (warnings.push(JSON.parse(String(line)) as { msg: string }), done()) })
  const client = (digit: number) => network.addClient(`c${digit}`, `02:00:00:00:00:0${digit}`)
  const served = await serve(network, {
    dhcp: { ...addresses, range: { first: '10.77.0.100', last: '10.77.0.104' }, reservations: new Map([['02-00-00-00-00-01', '10.77.0.20']]) },
    policies: [{ machine: '02-00-00-00-00-02', boot: 'ignore' }],
    log: pino({ level: 'warn' }, lines),
  })
  const reserved = await askByUdhcpc(await client(1), directory)
  const ignored = await askByUdhcpc(await client(2), directory)

  // A machine that has its address from nobody.
  await (await client(3)).run('ip', ['address', 'add', '10.77.0.100/24', 'dev', 'eth0'])
  const besideSquatter = await askByUdhcpc(await client(4), directory)

  // One that takes its address only after we have looked, so that nobody but the client itself finds it.
  const late = await client(5)
  const careful = await client(6)
  const taken = served
    .waitFor(({ machine, hop }) => machine === careful.machine && hop === 'dhcp-offer')
    .then(() => late.run('ip', ['address', 'add', '10.77.0.102/24', 'dev', 'eth0']))
  await careful.run('dhcpcd', ['--oneshot', '--ipv4only', '--noipv4ll', '--timeout', '50', '--nohook', 'resolv.conf', '--config', '/dev/null', 'eth0'], { timeoutMs: 60_000 })
  await taken
  const carefulGot = await careful.run('ip', ['-4', '-brief', 'address', 'show', 'eth0'])

  // Another network of this host, which we are not to answer on.
  const office = await client(7)
  await run('ip', ['link', 'set', 'c7-host', 'nomaster'])
  await run('ip', ['address', 'add', '10.99.0.1/24', 'dev', 'c7-host'])
  const onOtherInterface = await askByUdhcpc(office, directory)
  const heardFromOffice = served.events.filter(({ machine }) => machine === office.machine).length
  await served.close()
  const leases = await openLeaseFile(join(directory, 'data', 'leases.ndjson')).load()
  return { reserved, ignored, besideSquatter, carefulGot, onOtherInterface, heardFromOffice, warnings, leases: leases.map(({ machine, address }) => `${machine} ${address}`) }
}
