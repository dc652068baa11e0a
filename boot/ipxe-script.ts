/** How often a script tries before the machine boots its local disk; between two tries it sleeps as many seconds as it has tried. */
const tries = 10

/** What a boot script for the worker needs to know. */
export interface WorkerBoot {
  /** Base of the boot server, for example `http://10.77.0.1:8080`. */
  httpUrl: string
  /** sha256 of stage 2, for example `sha256:9f86…`. */
  stage2Digest: string
  /** Single-use ticket that the worker exchanges for its credential. */
  ticket: string
}

/**
 * The iPXE script that boots the worker. `netX` is the NIC that iPXE booted from (net0 often is not: matchbox #410), `imgfree` drops what an
 * earlier try left, and `initrd=` is what makes a UEFI kernel find its initramfs. After `tries` failed tries the machine boots its local disk.
 */
export function renderWorkerScript({ httpUrl, stage2Digest, ticket }: WorkerBoot): string {
  const kernelArguments = [
    'initrd=initramfs.img',
    'BOOTIF=01-${netX/mac:hexhyp}',
    `ingot.server=${httpUrl}`,
    `ingot.stage2=${stage2Digest}`,
    `ingot.ticket=${ticket}`,
    // A kernel that panics boots again after 10 s instead of standing still.
    'panic=10',
    'console=tty0',
    'console=ttyS0,115200',
  ]
  return renderScript([
    'imgfree',
    `kernel ${httpUrl}/boot/vmlinuz ${kernelArguments.join(' ')} || goto failed`,
    `initrd ${httpUrl}/boot/initramfs.img || goto failed`,
    'boot || goto failed',
  ])
}

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
    'iseq ${platform} efi && exit 0 ||',
    'sanboot --no-describe --drive 0x80 || exit 1',
    '',
  ].join('\n')
}
