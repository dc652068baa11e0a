import { expect, test } from 'vitest'
import { parseCommandLine } from '../../../appliance/worker/command-line.ts'

const line = (bootIf: string) => `initrd=initramfs.img ingot.server=http://10.77.0.1:8080/ ingot.ticket=abc BOOTIF=${bootIf} console=ttyS0,115200\n`

test.each([
  ['01-52-54-00-AB-34-56', 'iPXE and PXELINUX write dashes'],
  ['01:52:54:00:ab:34:56', 'GRUB writes colons'],
  ['52:54:00:ab:34:56', 'without the hardware type'],
])('BOOTIF=%s: %s', (bootIf) => {
  expect(parseCommandLine(line(bootIf))).toEqual({ server: 'http://10.77.0.1:8080', ticket: 'abc', bootMac: '52-54-00-ab-34-56' })
})

test('a machine whose boot path tells no NIC still boots', () => {
  expect(parseCommandLine('ingot.server=http://a ingot.ticket=t').bootMac).toBeUndefined()
})

test('a missing argument is named', () => {
  expect(() => parseCommandLine('ingot.ticket=t quiet')).toThrow('expected ingot.server=…, got ingot.ticket=t quiet')
})
