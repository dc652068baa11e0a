import { workerKernelArguments, type WorkerBoot } from './kernel-arguments.ts'

/** How often a script tries before the machine boots its local disk; between two tries it sleeps as many seconds as it has tried. */
const tries = 10

/**
 * The iPXE script that boots the worker. `netX` is the NIC that iPXE booted from (net0 often is not: matchbox #410), `imgfree` drops what an
 * earlier try left, and `initrd=` is what makes a UEFI kernel find its initramfs. After `tries` failed tries the machine boots its local disk.
 */
export function renderWorkerScript(boot: WorkerBoot): string {
  const { httpUrl } = boot
  const kernelArguments = ['initrd=initramfs.img', ...workerKernelArguments(boot, '${netX/mac:hexhyp}')]
  return renderScript([
    'imgfree',
    `kernel ${httpUrl}/boot/vmlinuz ${kernelArguments.join(' ')} || goto failed`,
    `initrd ${httpUrl}/boot/initramfs.img || goto failed`,
    'boot || goto failed',
  ])
}

/** How often a machine that is not admitted asks, with `waitSeconds` between: a quarter of an hour, for somebody to come and look. */
const asks = 90
const waitSeconds = 10

/**
 * The iPXE script of a machine that is not admitted: it says so on its console and asks again at `scriptUrl` (see `ipxeScriptUrl`), a bounded number of
 * times, then boots its local disk. The count is a setting of iPXE, which outlives the script.
 */
export const renderWaitScript = (machine: string, scriptUrl: string): string =>
  [
    '#!ipxe',
    'isset ${ingot-asked} || set ingot-asked:int32 0',
    ':ask',
    'inc ingot-asked',
    `iseq \${ingot-asked} ${asks + 1} && goto local-disk ||`,
    `echo Ingot: ${machine} is not admitted yet. On the first computer: ingot machine admit ${machine}`,
    `echo Ingot: asks again in ${waitSeconds} seconds, \${ingot-asked} of ${asks} times`,
    `sleep ${waitSeconds}`,
    `chain --replace ${scriptUrl} || goto ask`,
    '',
    ':local-disk',
    `echo Ingot: gave up after ${asks} times, booting the local disk`,
    ...bootLocalDisk,
    '',
  ].join('\n')

/** The iPXE script of a machine that boots its own disk (F6); `why` is shown on its console. */
export const renderLocalDiskScript = (why: string): string => ['#!ipxe', `echo Ingot: booting the local disk, ${why}`, ...bootLocalDisk, ''].join('\n')

/**
 * The script for an iPXE that did not say who it is: one that fetched `autoexec.ipxe` by itself (iPXE 2.0), or a person with curl.
 * It asks for an address until the offer names a boot file, which an offer of another DHCP server does not (danderson/netboot #38), and goes on to
 * `scriptUrl` (see `ipxeScriptUrl`).
 */
export function renderAutoexecScript(scriptUrl: string): string {
  return renderScript(['dhcp || goto failed', 'isset ${filename} || goto failed', `chain --replace ${scriptUrl} || goto failed`])
}

/** Tries `commands`, which go to the label `failed` when they fail, a bounded number of times, then boots the local disk. */
function renderScript(commands: readonly string[]): string {
  return [
    '#!ipxe',
    'set attempt:int32 0',
    '',
    ':retry',
    'inc attempt',
    ...commands,
    '',
    ':failed',
    `iseq \${attempt} ${tries} && goto local-disk ||`,
    `echo Ingot: try \${attempt} of ${tries} failed, next in \${attempt} seconds`,
    'sleep ${attempt}',
    'goto retry',
    '',
    ':local-disk',
    `echo Ingot: gave up after ${tries} tries, booting the local disk`,
    ...bootLocalDisk,
    '',
  ].join('\n')
}

/**
 * Boots what the machine has on its disks. UEFI firmware goes on to its next boot option when this one fails, and to its menu, where it stays, when it
 * succeeds (UEFI 2.10, 3.1.1; warewulf3 #106, netboot.xyz #1276). A BIOS boots its first disk, or goes on to its next device if it cannot.
 */
const bootLocalDisk = ['iseq ${platform} efi && exit 1 ||', 'sanboot --no-describe --drive 0x80 || exit 1']
