import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { moveBehindBadCable } from '../../helpers/bad-cable.ts'
import type { TestNetwork } from '../../helpers/test-network.ts'
import { askByUdhcpc } from './dhcp/dhcp-client.ts'
import { serve } from './serve.ts'

const digestOf = async (path: string): Promise<string> => createHash('sha256').update(await readFile(path)).digest('hex')

/** What `bad-cable.test.ts` checks: what a machine gets at the far end of a cable that loses, doubles and delays. */
export async function scenario(network: TestNetwork) {
  const { directory, address } = network
  const served = await serve(network)
  const client = await network.addClient('c1', '02:00:00:00:00:01')
  const frames = await moveBehindBadCable(network, client, { lost: 0.05, doubled: 0.05, delayMs: [1, 10] })
  const given = await askByUdhcpc(client, directory, ['-t', '10'])
  const path = (name: string) => join(directory, `by-${name}`)
  const limit = { timeoutMs: 100_000 }
  // Without options: an OACK that comes twice is an error to some clients (atftp 0.8: "unexpected OACK").
  await client.run('curl', ['-sS', '--tftp-no-options', '-o', path('curl'), `tftp://${address}/undionly.kpxe`], limit)
  await client.run('curl', ['-sS', '-o', path('http'), `http://${address}:8080/boot/snponly.efi`], limit)
  await served.close()
  return {
    given,
    frames,
    fetched: await Promise.all(['curl', 'http'].map((name) => digestOf(path(name)))),
    real: await Promise.all(['undionly.kpxe', 'snponly.efi'].map((name) => digestOf(`/usr/lib/ipxe/${name}`))),
  }
}
