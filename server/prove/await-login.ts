import type { Machine } from '../rack/machine.ts'
import { MachineFailure } from '../rack/machine-failure.ts'

const loginPrompt = /login:$/m

/**
 * What a machine says that will never show a login prompt: SeaBIOS (src/boot.c), OVMF (MdeModulePkg, BdsEntry.c; where it has a shell it ends there), GRUB
 * without its files or its configuration, the kernel, the initramfs of Debian that finds no root, systemd where a mount of /etc/fstab did not come
 * (systemd, src/sulogin-shell).
 */
const deadEnds =
  /^(No bootable device\b|.*No bootable option or device was found|UEFI Interactive Shell|grub rescue>|grub>|.*Kernel panic - not syncing|\(initramfs\)|You are in (emergency|rescue) mode).*/m

/** Waits for the login prompt on a machine's serial console; throws a `MachineFailure` as soon as it is plain that none will come. */
export async function awaitLogin(machine: Machine, signal: AbortSignal): Promise<void> {
  const { console, name } = machine
  const stuck = console.waitFor(deadEnds, signal).then((said) => {
    throw new MachineFailure(name, `said "${said.trim()}" where a login prompt was waited for on the serial console`, console)
  })
  await Promise.race([console.waitFor(loginPrompt, signal), stuck])
}
