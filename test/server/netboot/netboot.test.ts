import { beforeAll, describe, expect, it } from 'vitest'
import { inNamespace, noNamespaces } from '../../helpers/namespace.ts'
import type { scenario } from './netboot-scenario.ts'

describe.skipIf(noNamespaces)('the boot services', () => {
  let seen: Awaited<ReturnType<typeof scenario>>
  beforeAll(async () => void (seen = await inNamespace(new URL('netboot-scenario.ts', import.meta.url))))

  it('refuse an interface that does not exist, and name those that do', () => {
    expect(seen.noInterface).toEqual({
      code: 'config-invalid',
      message: 'interface: expected a network interface of this host, got eth7; it has lo, boot0',
    })
  })
  it('refuse an address that the interface does not have, and tell how to give it', () => {
    expect(seen.noAddress).toEqual({
      code: 'config-invalid',
      message: 'address: expected boot0 to have 10.77.0.2/24, it has 10.77.0.1/24; "ip address add 10.77.0.2/24 dev boot0" gives it',
    })
  })
  it('refuse an interface that is down', () => {
    expect(seen.down).toEqual({ code: 'config-invalid', message: 'interface: boot0 is down; "ip link set boot0 up" brings it up' })
  })
  it('tell every setting that cannot be at once', () => {
    expect(seen.ranges.message.split('\n')).toEqual([
      'range.first: expected an address of 10.77.0.0/24, got 10.78.0.9',
      'range: expected first to be at or before last, got 10.78.0.9 to 10.77.0.1',
      'leaseSeconds: expected a whole number from 60, got 1',
    ])
  })
  it.each([
    ['dhcpTaken', 'UDP port 67 (DHCP) on 0.0.0.0 is in use by another program'],
    ['tftpTaken', 'UDP port 69 (TFTP) on 10.77.0.1 is in use by another program'],
  ] as const)('refuse a port that is taken, also one that would share it: %s', (which, message) => {
    expect(seen[which]).toEqual({ code: 'port-in-use', message: expect.stringContaining(message) as string })
  })
  it('start without radvd too, and leave no process, port or folder', () => expect(seen.left).toMatch(/^scenario-\w+$/))
})
