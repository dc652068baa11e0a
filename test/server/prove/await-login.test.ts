import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { awaitLogin } from '../../../server/prove/await-login.ts'
import { readConsole } from '../../../server/rack/console.ts'
import type { Machine } from '../../../server/rack/machine.ts'

function machineThatSays(text: string): Machine {
  const serial = new PassThrough()
  serial.write(`[    3.1] Linux version 6.1\r\n${text}`)
  return { name: 'copy', console: readConsole(serial, '/dev/null') } as unknown as Machine
}

it('a copy that shows its login prompt is up', async () => {
  await awaitLogin(machineThatSays('Debian GNU/Linux 12 web-1 ttyS0\r\n\r\nweb-1 login: '), AbortSignal.timeout(10_000))
})

it.each([
  ['No bootable device.', 'No bootable device.'],
  ['BdsDxe: No bootable option or device was found.', 'BdsDxe: No bootable option or device was found.'],
  ['UEFI Interactive Shell v2.2', 'UEFI Interactive Shell v2.2'],
  ['grub rescue> ', 'grub rescue>'],
  ['grub> ', 'grub>'],
  ['[    4.2] Kernel panic - not syncing: VFS: Unable to mount root fs', '[    4.2] Kernel panic - not syncing: VFS: Unable to mount root fs'],
  ['(initramfs) ', '(initramfs)'],
  ['You are in emergency mode. After logging in, type "journalctl -xb" to view\r\nsystem logs', 'You are in emergency mode. After logging in, type "journalctl -xb" to view'],
  ['You are in rescue mode. After logging in', 'You are in rescue mode. After logging in'],
])('a copy that says %j is not waited for any longer', async (text, said) => {
  await expect(awaitLogin(machineThatSays(text), AbortSignal.timeout(10_000))).rejects.toThrow(`said "${said}" where a login prompt was waited for`)
})
