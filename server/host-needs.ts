import { access, constants } from 'node:fs/promises'
import type { Run } from '../appliance/run.ts'

/** What a host may be wanted for; each includes what stands before it where one needs the other. */
export const purposes = ['serve', 'appliance', 'demo', 'test', 'bench'] as const
export type Purpose = (typeof purposes)[number]

/** A Debian package that Ingot needs, what for, and by whom. */
export interface HostNeed {
  package: string
  why: string
  for: readonly Purpose[]
}

const all: readonly Purpose[] = purposes
const rack: readonly Purpose[] = ['demo', 'test', 'bench']
const tests: readonly Purpose[] = ['test', 'bench']

/** Everything beyond Node and npm, as Debian 12 packages. */
export const hostNeeds: readonly HostNeed[] = [
  { package: 'ca-certificates', why: 'package mirrors over HTTPS', for: all },
  { package: 'debian-archive-keyring', why: 'checks what Debian signed', for: all },
  { package: 'mmdebstrap', why: 'root filesystems', for: all },
  { package: 'zstd', why: 'compresses root filesystems', for: all },
  { package: 'shim-signed', why: 'Secure Boot of machines that boot from the network', for: ['serve', ...rack] },
  { package: 'grub-efi-amd64-signed', why: 'Secure Boot of machines that boot from the network', for: ['serve', ...rack] },
  { package: 'ipxe', why: 'the boot programs that firmware fetches', for: ['serve', ...rack] },
  { package: 'radvd', why: 'router advertisements, which save iPXE 13 s', for: ['serve', ...rack] },
  { package: 'openssl', why: 'certificates of HTTPS', for: ['serve', ...rack] },
  { package: 'squashfs-tools', why: 'the appliance', for: ['appliance', ...rack] },
  { package: 'binutils', why: 'the appliance', for: ['appliance', ...rack] },
  { package: 'socat', why: 'hears DHCP on the boot interface and on no other', for: ['serve', ...rack] },
  { package: 'iproute2', why: 'the boot interface and who is on it, and the virtual rack', for: ['serve', ...rack] },
  { package: 'util-linux', why: 'ends the helpers of the boot services with them, and the virtual rack', for: ['serve', ...rack] },
  { package: 'qemu-system-x86', why: 'virtual machines, which prove images', for: ['serve', ...rack] },
  { package: 'qemu-utils', why: 'virtual disks', for: ['serve', ...rack] },
  { package: 'ovmf', why: 'UEFI firmware of virtual machines', for: ['serve', ...rack] },
  { package: 'ipxe-qemu', why: 'network card firmware of virtual machines', for: rack },
  { package: 'slirp4netns', why: "the first computer's way out of the virtual rack", for: rack },
  { package: 'openssh-client', why: "runs a recipe's checks in a booted copy", for: ['serve', ...rack] },
  { package: 'udhcpc', why: 'a DHCP client that is not ours', for: tests },
  { package: 'isc-dhcp-client', why: 'a DHCP client that is not ours', for: tests },
  { package: 'dhcpcd-base', why: 'a DHCP client that is not ours', for: tests },
  { package: 'isc-dhcp-relay', why: 'a DHCP relay agent that is not ours', for: tests },
  { package: 'dnsmasq-base', why: 'a DHCP server that is not ours', for: tests },
  { package: 'kea-admin', why: 'perfdhcp, which measures DHCP servers', for: tests },
  { package: 'atftp', why: 'a TFTP client that is not ours', for: tests },
  { package: 'tftp-hpa', why: 'a TFTP client that is not ours', for: tests },
  { package: 'curl', why: 'a TFTP and HTTP client that is not ours', for: tests },
  { package: 'fdisk', why: 'partition tables, read by a program that is not ours', for: tests },
  { package: 'gdisk', why: 'partition tables, read by a program that is not ours', for: tests },
  { package: 'e2fsprogs', why: 'filesystems of the tests', for: tests },
  { package: 'dosfstools', why: 'filesystems of the tests', for: tests },
  { package: 'mtools', why: 'filesystems of the tests', for: tests },
  { package: 'xfsprogs', why: 'filesystems of the tests', for: tests },
  { package: 'btrfs-progs', why: 'filesystems of the tests', for: tests },
  { package: 'exfatprogs', why: 'filesystems of the tests', for: tests },
  { package: 'f2fs-tools', why: 'filesystems of the tests', for: tests },
  { package: 'ntfs-3g', why: 'filesystems of the tests', for: tests },
  { package: 'genisoimage', why: 'filesystems of the tests', for: tests },
  { package: 'lvm2', why: 'what disks hold that must not be written', for: tests },
  { package: 'mdadm', why: 'what disks hold that must not be written', for: tests },
  { package: 'cryptsetup-bin', why: 'what disks hold that must not be written', for: tests },
  { package: 'bcache-tools', why: 'what disks hold that must not be written', for: tests },
  { package: 'drbd-utils', why: 'what disks hold that must not be written', for: tests },
  { package: 'partclone', why: 'a second opinion on used blocks, and a peer of the benchmark', for: tests },
  { package: 'casync', why: 'a peer of the benchmark', for: tests },
  { package: 'skopeo', why: 'an OCI registry client that is not ours', for: tests },
  { package: 'docker-registry', why: 'an OCI registry that is not ours', for: tests },
  { package: 'systemd-container', why: 'a container whose systemd runs the first computer', for: tests },
  { package: 'busybox-static', why: 'a small system to install in the tests', for: tests },
  { package: 'cpio', why: 'an unpacker of the initramfs that is not ours', for: tests },
  { package: 'postgresql', why: 'a job list that is kept in PostgreSQL; the tests start it themselves', for: tests },
  { package: 'glusterfs-server', why: 'a data directory on a network file system; the tests start it themselves', for: tests },
  { package: 'glusterfs-client', why: 'a data directory on a network file system', for: tests },
  { package: 'kea-dhcp4-server', why: 'a peer of the benchmark', for: ['bench'] },
  { package: 'tftpd-hpa', why: 'a peer of the benchmark', for: ['bench'] },
  { package: 'nginx', why: 'a peer of the benchmark', for: ['bench'] },
  { package: 'wrk', why: 'measures HTTP servers', for: ['bench'] },
  { package: 'chromium', why: 'a browser, which looks at the console', for: ['test'] },
  { package: 'procps', why: 'looks for processes left behind', for: tests },
]

/** The packages of `needs` that are not installed. */
export async function missingPackages(needs: readonly HostNeed[], run: Run): Promise<HostNeed[]> {
  // A name that dpkg has never heard of makes it exit with 1 and is still named on standard error only.
  const listed = await run('dpkg-query', ['--show', '--showformat=${Package} ${db:Status-Status}\\n']).catch(() => '')
  const installed = new Set(listed.split('\n').flatMap((line) => (line.endsWith(' installed') ? [line.split(' ')[0]] : [])))
  return needs.filter((need) => !installed.has(need.package))
}

/** Installs packages by apt, telling each line; needs root. */
export async function installPackages(needs: readonly HostNeed[], { run, onLine }: { run: Run; onLine: (line: string) => void }): Promise<void> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['update', '--quiet=1'], { env, onLine })
  const names = needs.map((need) => need.package)
  await run('apt-get', ['install', '--yes', '--quiet=1', '--no-install-recommends', ...names], { env, onLine, timeoutMs: 3_600_000 })
}

/** A fact about the host besides packages. */
export interface HostFact {
  name: string
  good: boolean
  found: string
  remedy: string
}

const can = (path: string, mode: number) => access(path, mode).then(() => true, () => false)

/** What besides packages a purpose depends on. */
export async function hostFacts(purpose: Purpose): Promise<HostFact[]> {
  const root = process.getuid?.() === 0
  const facts: HostFact[] = [
    { name: 'root', good: root, found: root ? 'yes' : `no, user ${process.getuid?.()}`, remedy: 'run it as root or with sudo: DHCP, disks and namespaces need it' },
  ]
  if (purpose === 'demo' || purpose === 'test' || purpose === 'bench') {
    const tun = await can('/dev/net/tun', constants.R_OK | constants.W_OK)
    facts.push({ name: '/dev/net/tun', good: tun, found: tun ? 'usable' : 'not usable', remedy: 'modprobe tun, or pass the device into this container' })
  }
  return facts
}
