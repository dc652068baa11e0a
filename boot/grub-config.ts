import { workerKernelArguments, type WorkerBoot } from './kernel-arguments.ts'

/** How often GRUB tries before the machine goes on to its next boot option; between two tries it sleeps as many seconds as it has tried. */
const tries = 5

/**
 * What Debian's signed GRUB does under Secure Boot: it loads Debian's signed kernel and our initramfs by TFTP from where it came itself, since it has no
 * `http` module. It fills in the MAC address of the card that booted, with colons. `exit` hands back to the firmware.
 */
export function renderWorkerConfig(boot: WorkerBoot): string {
  return [
    'set timeout=0',
    `for attempt in ${Array.from({ length: tries }, (_, index) => index + 1).join(' ')}; do`,
    `  if linux /vmlinuz ${workerKernelArguments(boot, '$net_default_mac').join(' ')}; then`,
    '    if initrd /initramfs.img; then',
    '      boot',
    '    fi',
    '  fi',
    `  echo "Ingot: try $attempt of ${tries} failed, next in $attempt seconds"`,
    '  sleep $attempt',
    'done',
    `echo "Ingot: gave up after ${tries} tries, booting the local disk"`,
    'exit',
    '',
  ].join('\n')
}

/** What GRUB does on a machine that boots its own disk (F6); `why` is shown on its console. */
export const renderLocalDiskConfig = (why: string): string => [`echo "Ingot: booting the local disk, ${why}"`, 'exit', ''].join('\n')

/** GRUB counts nothing over scripts, so that a machine that is not admitted does not ask again by itself: it says so and goes on. */
const noteSeconds = 30

/** What GRUB does on a machine that is not admitted. */
export const renderWaitConfig = (machine: string): string =>
  [
    `echo "Ingot: ${machine} is not admitted yet. On the first computer: ingot machine admit ${machine}"`,
    `echo "Ingot: then start it again; booting the local disk in ${noteSeconds} seconds"`,
    `sleep ${noteSeconds}`,
    'exit',
    '',
  ].join('\n')
