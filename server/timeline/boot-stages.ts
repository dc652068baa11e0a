import type { MachineEvent } from '../api/event.ts'
import { times, type Stage, type StageFacts, type Stages } from './stage.ts'

type BootHop =
  | ('tftp-asked' | 'tftp' | 'tftp-stalled' | 'tftp-refused' | 'http' | 'broken-off')
  | ('script-refused' | 'boot-script' | 'local-disk' | 'kernel' | 'initramfs' | 'stage2' | 'credential' | 'ticket-refused' | 'admission')

const booting = (doing: string, afterSeconds: number, happened: string, cause: string): Stage => ({
  state: 'on-its-way',
  doing,
  stops: { afterSeconds, happened, cause },
})

const highPorts = 'check the firewall for UDP high ports: TFTP sends a file from a port of its own, and not from 69'

/** What became of a file that it asks for by TFTP and has not got. */
function fetching(file: string, boot: readonly MachineEvent[], afterSeconds: number): Stage {
  const since = boot.slice(boot.findLastIndex((event) => event.hop === 'tftp' && event.file === file) + 1)
  const stalled = since.flatMap((event) => (event.hop === 'tftp-stalled' && event.file === file ? [event] : []))
  // A repeated question from one port is counted where that transfer stalled.
  const asked = since.filter((event) => event.hop === 'tftp-asked' && event.file === file).length + stalled.reduce((sum, event) => sum + event.asked - 1, 0)
  const block = stalled.at(-1)?.block
  const atTheStart = block === undefined || block <= 1
  const missing = block === undefined ? 'and did not take it to its end' : `never acknowledged ${block === 0 ? 'the options of the transfer' : `block ${block}`}`
  return booting(
    `fetches ${file}`,
    afterSeconds,
    `asked for ${file} ${times(asked)}${block === undefined ? ' ' : ', '}${missing}`,
    atTheStart ? highPorts : 'packets are lost on the way: check cable, switch port and duplex setting',
  )
}

/** What a program that was fetched does next, and why it may not. */
function started(file: string, boot: readonly MachineEvent[]): Stage {
  const silent = `fetched ${file} and has said nothing since`
  switch (file) {
    case 'undionly.kpxe':
      return booting('starts iPXE', 90, silent, 'iPXE does not get along with the network driver in this ROM: set `file: ipxe.pxe` for the machine under `netboot.machines`')
    case 'snponly.efi':
      return booting('starts iPXE', 90, silent, 'Secure Boot refuses iPXE: set `netboot.secureBoot: true`; if Secure Boot is off, set `file: ipxe.efi` for the machine under `netboot.machines`')
    case 'ipxe.efi':
      return booting('starts iPXE', 90, silent, 'Secure Boot refuses iPXE: set `netboot.secureBoot: true`; if Secure Boot is off, iPXE has no driver for its network card')
    case 'shimx64.efi':
      return booting('starts shim', 90, silent, "the firmware refused shim: allow Microsoft's third-party certificate (UEFI CA) in its set-up, or update the package shim-signed")
    case 'mmx64.efi':
      return booting("starts shim's key manager", 0, 'was refused GRUB by shim, which started its key manager', 'shim and GRUB do not belong together: update shim-signed and grub-efi-amd64-signed')
    case 'grubx64.efi':
      return booting('starts GRUB', 90, silent, 'shim refused GRUB (update shim-signed and grub-efi-amd64-signed together), or GRUB asks another server, since it heeds only the one that gave the address')
    case 'grub/grub.cfg':
      return booting('reads its boot script', 90, 'got its boot script and fetched no kernel', 'see its console: GRUB tells there what failed')
    case 'vmlinuz':
      return booting('fetches the initramfs', 120, 'fetched the kernel but no initramfs', 'see its console: Secure Boot refused the kernel, or memory is short')
    case 'initramfs.img':
      return kernelRuns(boot)
    default:
      return booting(`starts ${file}`, 120, silent, 'see its console')
  }
}

/** Stage 1 asks for an address again, from Linux: whether it did tells a kernel that did not start from one without its network. */
function kernelRuns(boot: readonly MachineEvent[]): Stage {
  const loaded = boot.findLastIndex((event) => event.hop === 'initramfs' || (event.hop === 'tftp' && event.file === 'initramfs.img'))
  const asked = boot.slice(loaded + 1).some((event) => event.hop === 'dhcp-discover' || event.hop === 'dhcp-ack')
  if (asked) return booting('fetches stage 2', 180, 'started Linux, got an address there, and never fetched stage 2', 'TCP from it to this host breaks: check the firewall and the MTU of the way')
  return booting(
    'starts Linux',
    180,
    'got kernel and initramfs but never asked for stage 2',
    'the kernel did not start, or has no driver for the network card that booted: see its console; a machine needs 256 MiB of memory or more',
  )
}

/** From the first file to a worker that has its credential. */
export const bootStages: Stages<BootHop> = {
  'tftp-asked': ({ event, boot }) =>
    event.found
      ? fetching(event.file, boot, 180)
      : booting(`asks for ${event.file}`, 0, `asked for ${event.file}, which is not served here`, 'another DHCP server, or its own set-up, tells it this name: look at option 67 there, and at `ingot doctor --config FILE`'),
  'tftp-stalled': ({ event, boot }) => fetching(event.file, boot, 15),
  'tftp-refused': ({ event }) => booting('broke off a file', 30, `broke off ${event.file}: ${event.message || 'it gave no reason'}`, 'the file does not fit its memory, or its firmware is old: update that'),
  tftp: ({ event, boot }) => started(event.file, boot),
  http: ({ event, boot }) => started(event.file, boot),
  'broken-off': ({ event }) =>
    booting(`fetches ${event.file} again`, 60, `broke off ${event.file} after ${percent(event)} of it`, 'it was switched off or started anew, memory is short, or the way to it breaks'),
  'script-refused': ({ event }) =>
    booting(
      'asks for its boot script again',
      0,
      `was refused its boot script: ${event.address} asked for it, and ${event.why}`,
      'another machine asks in its name, or it has its address from elsewhere: look for a second DHCP server (`ingot doctor --config FILE`), and for a router that changes addresses on the way',
    ),
  'boot-script': () => booting('reads its boot script', 90, 'got its boot script and fetched no kernel', 'see its console: iPXE tells there what failed; check that TCP to this host passes'),
  'local-disk': ({ event }) => ({ state: 'own-disk', doing: `boots its own disk: ${event.why}` }),
  kernel: () => booting('fetches the initramfs', 120, 'got kernel but no initramfs', 'see its console: memory is short, or the connection broke'),
  initramfs: ({ boot }) => kernelRuns(boot),
  stage2: () => booting('starts stage 2', 240, 'fetched stage 2, and its worker never asked for a credential', 'stage 2 did not start: see its console; a machine needs 256 MiB of memory or more'),
  credential: () => booting('looks at its hardware', 240, 'its worker has a credential and never told of its hardware', 'a driver of a disk hangs: see its console'),
  'ticket-refused': ({ event }) =>
    booting('has no credential', 0, `its worker is up but has no credential: the ticket of its boot script was refused (${event.why})`, 'a boot script serves once, for a quarter of an hour: start the machine anew; if it happens again, somebody on the boot network reads along'),
  admission: ({ event }) => {
    if (event.state === 'waiting') return { state: 'idle', doing: `waits to be admitted: ingot machine admit ${event.machine}` }
    if (event.state === 'refused') return { state: 'idle', doing: `is refused by ${event.by}` }
    return booting('asks again for its boot script', 120, 'was admitted and did not ask again', 'it asks for a quarter of an hour and then boots its own disk: start the machine anew')
  },
}

const percent = ({ bytes, sizeBytes }: StageFacts<Extract<MachineEvent, { hop: 'broken-off' }>>['event']): string => `${Math.floor((100 * bytes) / sizeBytes)} %`
