import { join } from 'node:path'
import { start } from '../../../../appliance/run.ts'
import { openLeaseFile } from '../../../../server/netboot/dhcp/lease-file.ts'
import type { TestNetwork } from '../../../helpers/test-network.ts'
import { askByUdhcpc } from './dhcp-client.ts'

const server = join(import.meta.dirname, 'crash-server.ts')

/** What `crash.test.ts` checks: a server that is killed the moment a machine has its address, and started again. */
export async function scenario(network: TestNetwork) {
  const startServer = async () => {
    const up = Promise.withResolvers<void>()
    const program = await start(process.execPath, [server, JSON.stringify(network)], { onMessage: () => up.resolve() })
    await Promise.race([up.promise, program.ended.then(({ lastLines }) => Promise.reject(new Error(lastLines.join('\n'))))])
    return program
  }
  const readLeases = async () =>
    (await openLeaseFile(join(network.directory, 'data', 'leases.ndjson')).load()).map(({ machine, address }) => `${machine} ${address}`)
  const clients = await Promise.all([1, 2, 3].map((digit) => network.addClient(`c${digit}`, `02:00:00:00:00:0${digit}`)))
  const [first, second, third] = clients as [(typeof clients)[0], (typeof clients)[0], (typeof clients)[0]]

  let program = await startServer()
  const before = await askByUdhcpc(first, network.directory)
  program.kill('SIGKILL')
  await program.ended
  const leases = await readLeases()

  program = await startServer()
  const toAnother = await askByUdhcpc(second, network.directory, ['-r', '10.77.0.100'])
  const again = await askByUdhcpc(first, network.directory)
  // In the middle of an exchange: what was offered and not acknowledged is nobody's.
  const asking = askByUdhcpc(third, network.directory)
  program.kill('SIGKILL')
  await program.ended
  const during = await asking
  const leasesThen = await readLeases()
  return { before, leases, toAnother, again, during, leasesThen }
}
