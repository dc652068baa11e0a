import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { run } from '../../../appliance/run.ts'

const outer = fileURLToPath(new URL('fixtures/outer.ts', import.meta.url))

describe.skipIf(process.getuid?.() !== 0)('a bare machine in the rack (needs root and QEMU)', { timeout: 180_000 }, () => {
  test.each([
    ['bios', 'virtio', 'iPXE initialising devices'],
    ['bios', 'scsi', 'iPXE initialising devices'],
    ['uefi', 'nvme', 'Start PXE over IPv4'],
    ['uefi', 'ahci', 'Start PXE over IPv4'],
  ])('%s with a disk on %s tries the network on its own, is heard, and leaves no cable behind', async (firmware, bus, expected) => {
    const result = JSON.parse(await run(process.execPath, [outer, 'none', 'power-on.ts', firmware, bus, expected])) as { said: string; links: string[] }
    expect(result).toMatchObject({ said: expected, ended: { signal: 'SIGKILL' } })
    expect(result.links).not.toContain('m1')
  })
})
