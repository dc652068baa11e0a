import { appendFile, chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError, start } from '../../../../appliance/run.ts'
import { openLeaseFile } from '../../../../server/netboot/dhcp/lease-file.ts'
import type { TestNetwork } from '../../../helpers/test-network.ts'
import { addresses, serve } from '../serve.ts'

const settings = {
  dhcp: {
    ...addresses,
    range: { first: '10.77.0.100', last: '10.77.0.102' },
    router: '10.77.0.254',
    nameServers: ['10.77.0.2'],
    domain: 'rack.example',
  },
}

/** What `clients.test.ts` checks: how DHCP clients that are not ours fare, in this order. */
export async function scenario(network: TestNetwork) {
  const { directory } = network
  const script = join(directory, 'script')
  const log = join(directory, 'log')
  await writeFile(log, '')
  await writeFile(
    script,
    `#!/bin/sh
case $1 in
deconfig) ip address flush dev eth0;;
bound) ip address flush dev eth0; ip address add $ip/$mask dev eth0;;
esac
echo "$1 ip=$ip mask=$mask router=$router dns=$dns domain=$domain server=$serverid lease=$lease" >> ${log}
`,
  )
  await chmod(script, 0o755)
  const readLog = async () =>
    (await readFile(log, 'utf8'))
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('deconfig'))
  const untilLogged = async (event: string) => {
    for (;;) {
      const line = (await readLog()).find((one) => one.startsWith(event))
      if (line !== undefined) return line
      await sleep(50)
    }
  }
  const leases = async () => openLeaseFile(join(directory, 'data', 'leases.ndjson')).load()
  const addressOf = async (machine: string) => (await leases()).find((lease) => lease.machine === machine)?.address

  let served = await serve(network, settings)
  const [first, second, third, fourth] = await Promise.all(
    [1, 2, 3, 4].map((digit) => network.addClient(`c${digit}`, `02:00:00:00:00:0${digit}`)),
  )
  if (first === undefined || second === undefined || third === undefined || fourth === undefined) throw new Error('four clients expected')

  const udhcpc = await start('ip', ['netns', 'exec', 'c1', 'udhcpc', '-i', 'eth0', '-f', '-s', script])
  const bound = await untilLogged('bound')
  const hops = served.events.filter(({ machine }) => machine === first.machine).map(({ hop }) => hop)
  udhcpc.kill('SIGUSR1')
  const renewed = await untilLogged('renew')

  const leaseFile = join(directory, 'dhclient.leases')
  const dhclient = async () => {
    const lines: string[] = []
    const onLine = (line: string) => void lines.push(line)
    await second.run('dhclient', ['-1', '-v', '-sf', '/bin/true', '-lf', leaseFile, '-pf', join(directory, 'dhclient.pid'), 'eth0'], {
      onLine,
    })
    await second.run('dhclient', ['-x', '-sf', '/bin/true', '-lf', leaseFile, '-pf', join(directory, 'dhclient.pid'), 'eth0'])
    return lines
      .filter((line) => line.startsWith('DHCP') || line.startsWith('bound'))
      .map((line) => line.replace(/ \(xid.*| -- renewal.*/, ''))
  }
  const dhclientAnew = await dhclient()
  const dhclientAgain = await dhclient()
  await appendFile(
    leaseFile,
    'lease { interface "eth0"; fixed-address 192.168.9.9; option dhcp-server-identifier 192.168.9.1; renew never; rebind never; expire never; }\n',
  )
  const dhclientFromElsewhere = await dhclient()

  await served.close()
  served = await serve(network, settings)
  const afterRestart = await dhclient()

  const once = (client: typeof third, ...more: string[]) =>
    client.run('udhcpc', ['-i', 'eth0', '-n', '-q', '-f', '-t', '2', '-T', '1', '-s', script, ...more]).then(
      () => 'lease',
      (error: unknown) => {
        if (error instanceof CommandError) return 'no lease'
        throw error
      },
    )
  const full = [await once(third), await once(fourth)]
  udhcpc.kill('SIGUSR2')
  while (((await leases()).find(({ machine }) => machine === first.machine)?.expiresAt ?? 0) > Date.now()) await sleep(50)
  const afterRelease = await once(fourth)
  udhcpc.kill('SIGKILL')
  const takenOver = await addressOf(fourth.machine)
  await served.close()
  return { bound, renewed, hops, dhclientAnew, dhclientAgain, dhclientFromElsewhere, afterRestart, full, afterRelease, takenOver }
}
