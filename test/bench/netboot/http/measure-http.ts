import { join } from 'node:path'
import type { Run } from '../../../../appliance/run.ts'
import { atClients, benchNetwork } from '../bench-network.ts'

const seconds = 2

/** Bytes a second that so many clients get together when they fetch kernel and initramfs by turns, each on its own connection, by Debian's `wrk`. Throws when a request fails. */
export async function measureHttp(clients: number, run: Run): Promise<number> {
  const [program, ...inNamespace] = atClients
  const load = ['-t', '1', '-c', String(clients), '-d', `${seconds}s`, '--timeout', '30s', '-s', join(import.meta.dirname, 'fetch-both.lua')]
  const output = await run(program, [...inNamespace, 'wrk', ...load, `http://${benchNetwork.address}:8080`])
  const { bytes, us, failed } = JSON.parse(output.slice(output.lastIndexOf('\n') + 1)) as { bytes: number; us: number; failed: number }
  if (failed > 0) throw new Error(`${failed} requests of ${clients} clients failed`)
  return bytes / (us / 1_000_000)
}
