import { createSocket } from 'node:dgram'
import { run, start, type Start } from '../../../appliance/run.ts'
import { IngotError } from '../../../server/errors.ts'
import type { NetbootOptions } from '../../../server/netboot/netboot.ts'
import type { TestNetwork } from '../../helpers/test-network.ts'
import { addresses, serve } from './serve.ts'

export interface Refusal {
  code: string
  message: string
}

/** What `netboot.test.ts` checks: how the service refuses to start where it cannot, and what it leaves when it stops. */
export async function scenario(network: TestNetwork) {
  const refusal = async (more: Partial<NetbootOptions>): Promise<Refusal> => {
    const served = await serve(network, more).catch((error: unknown) => error)
    if (served instanceof IngotError) return { code: served.code, message: served.message }
    throw new Error('expected an IngotError', { cause: served })
  }
  const holding = async <Result>(port: number, then: () => Promise<Result>): Promise<Result> => {
    const holder = createSocket({ type: 'udp4', reuseAddr: true })
    await new Promise<void>((resolve) => holder.bind(port, resolve))
    const result = await then()
    await new Promise<void>((resolve) => holder.close(() => resolve()))
    return result
  }
  const startNoRadvd: Start = (program, args, options) =>
    start(
      program,
      args.map((arg) => arg.replace(/^radvd$/, 'no-such-radvd')),
      options,
    )
  const noInterface = await refusal({ interfaceName: 'eth7' })
  const noAddress = await refusal({ address: '10.77.0.2', dhcp: { ...addresses, range: { first: '10.77.0.100', last: '10.77.0.101' } } })
  await run('ip', ['link', 'set', network.interfaceName, 'down'])
  const down = await refusal({})
  await run('ip', ['link', 'set', network.interfaceName, 'up'])
  const ranges = await refusal({ dhcp: { ...addresses, range: { first: '10.78.0.9', last: '10.77.0.1' }, leaseSeconds: 1 } })
  const dhcpTaken = await holding(67, () => refusal({}))
  const tftpTaken = await holding(69, () => refusal({}))

  const withoutRadvd = await serve(network, { routerAdvertisements: true, start: startNoRadvd })
  await withoutRadvd.close()
  const served = await serve(network, { routerAdvertisements: true })
  await served.close()
  const left = await run('sh', ['-c', 'ss -Hlnu; pgrep --runstates R,S,D -a radvd || true; ls /run/tmp'])
  return { noInterface, noAddress, down, ranges, dhcpTaken, tftpTaken, left }
}
