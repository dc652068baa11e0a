import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { CommandError, run } from '../../../appliance/run.ts'
import { IngotError } from '../../../server/errors.ts'
import type { NetbootOptions } from '../../../server/netboot/netboot.ts'
import { startDnsmasq } from '../../helpers/dnsmasq.ts'
import type { TestNetwork } from '../../helpers/test-network.ts'
import { serve } from './serve.ts'

const main = join(import.meta.dirname, '../../../server/main.ts')

/** What `other-servers.test.ts` checks: alone on the network, beside a DHCP server, and beside one that boots machines too. */
export async function scenario(network: TestNetwork) {
  const attempt = async (more: Partial<NetbootOptions>) => {
    const warnings: string[] = []
    const lines = new Writable({ write: (line: Buffer, _, done) => (warnings.push((JSON.parse(String(line)) as { msg: string }).msg), done()) })
    try {
      const served = await serve(network, { allowOtherServers: false, log: pino({ level: 'warn' }, lines), ...more })
      await served.close()
      return { started: true, warnings, problems: [] }
    } catch (error) {
      if (error instanceof IngotError && error.code === 'other-dhcp-server') return { started: false, warnings, problems: error.problems }
      throw error
    }
  }
  const ask = async (settings: string, name: string) => {
    const config = join(network.directory, `${name}.yaml`)
    await writeFile(config, JSON.stringify({ data: 'data', listen: '10.77.0.1:8080', netboot: { interface: network.interfaceName, ...JSON.parse(settings) } }))
    const output = await run(process.execPath, [main, 'doctor', '--json', '--config', config]).catch((error: unknown) => {
      if (error instanceof CommandError) return error.lastLines.find((line) => line.startsWith('{')) ?? ''
      throw error
    })
    const { facts } = JSON.parse(output) as { facts: { name: string; good: boolean; found: string }[] }
    return facts.filter(({ name }) => name === 'boot network').map(({ good, found }) => ({ good, found }))
  }
  const range = '{ "range": "10.77.0.100-10.77.0.199" }'

  const alone = await attempt({})
  const proxyAlone = await attempt({ dhcp: undefined })

  await startDnsmasq(await network.addClient('other', '02:00:00:00:00:fe'), network, ['--dhcp-boot=pxelinux.0'])
  const besideOther = await attempt({})
  const allowed = await attempt({ allowOtherServers: true })
  const proxyBesideOther = await attempt({ dhcp: undefined })
  const [doctorBesideOther, doctorProxy] = await Promise.all([ask(range, 'dhcp'), ask('{ "mode": "proxy" }', 'proxy')])
  return { alone, proxyAlone, besideOther, allowed, proxyBesideOther, doctorBesideOther, doctorProxy }
}
