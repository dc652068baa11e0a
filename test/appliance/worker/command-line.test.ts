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

test('with a fingerprint the worker speaks HTTPS, and one without the other never ends in plain HTTP', () => {
  const fingerprint = `sha256:${'9f'.repeat(32)}`
  const boot = 'ingot.server=http://10.77.0.1:8080 ingot.ticket=abc'
  expect(parseCommandLine(`${boot} ingot.https=https://10.77.0.1:8443/ ingot.tls=${fingerprint}`)).toMatchObject({ server: 'https://10.77.0.1:8443', fingerprint, ticket: 'abc' })
  expect(() => parseCommandLine(`${boot} ingot.tls=${fingerprint}`)).toThrow('expected ingot.https=…')
  expect(() => parseCommandLine(`${boot} ingot.https=https://10.77.0.1:8443`)).toThrow('expected ingot.tls=…')
})
