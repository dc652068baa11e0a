import { describe, expect, it } from 'vitest'
import { bootFiles, firmwareOf } from '../../boot/firmware.ts'

describe('firmware by option 93', () => {
  it.each([
    [0, 'BIOS', 'tftp', 'undionly.kpxe'],
    [6, 'IA32 UEFI', 'tftp', undefined],
    [7, 'x64 UEFI', 'tftp', 'snponly.efi'],
    [9, 'x64 UEFI', 'tftp', 'snponly.efi'],
    [10, 'ARM32 UEFI', 'tftp', undefined],
    [11, 'ARM64 UEFI', 'tftp', undefined],
    [15, 'IA32 UEFI HTTP', 'http', undefined],
    [16, 'x64 UEFI HTTP', 'http', 'snponly.efi'],
    [18, 'ARM32 UEFI HTTP', 'http', undefined],
    [19, 'ARM64 UEFI HTTP', 'http', undefined],
    [20, 'BIOS HTTP', 'http', 'undionly.kpxe'],
  ])('%i is %s, which fetches by %s the file %s', (code, name, transport, bootFile) => {
    expect(firmwareOf([code])).toMatchObject({ name, transport, bootFile })
  })

  it('takes of a list the first that can be served', () => expect(firmwareOf([6, 7])?.name).toBe('x64 UEFI'))
  it('takes of a list that cannot be served the first that is known', () => expect(firmwareOf([2, 11, 6])?.name).toBe('ARM64 UEFI'))
  it('does not know Itanium', () => expect(firmwareOf([2])).toBeUndefined())
  it('names every file once', () => expect(bootFiles).toEqual(['undionly.kpxe', 'snponly.efi', 'ipxe.efi', 'ipxe.pxe']))
})
