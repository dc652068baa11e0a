export interface UnitOptions {
  /** Path of the program `ingot`. */
  program: string
  /** Absolute path of the configuration. */
  configPath: string
  /** What the server writes to, absolute. */
  dataDirectory: string
  /** Whether it runs boot services, which need more of the network. */
  netboot: boolean
}

/** mmdebstrap makes root filesystems: it owns files as others, mounts, makes device nodes and changes its root. */
const buildCapabilities = ['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'SETFCAP', 'SETGID', 'SETUID', 'SYS_CHROOT', 'MKNOD', 'SYS_ADMIN', 'KILL']
/** DHCP and TFTP have ports below 1024, address probes raw sockets, and neighbours are told to the kernel. */
const netbootCapabilities = ['NET_BIND_SERVICE', 'NET_RAW', 'NET_ADMIN']

/** A path as systemd reads it: in quotes, with its own signs doubled (systemd.service(5), "Command lines"). */
const quote = (path: string): string => `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`

/**
 * A systemd unit that runs a first computer with no more than it needs (systemd.exec(5)). What is left open is so because of what runs in it: no
 * MemoryDenyWriteExecute, for Node and QEMU make programs while they run; mounts and namespaces, for mmdebstrap; root, which owns the files of images.
 */
export function renderUnit({ program, configPath, dataDirectory, netboot }: UnitOptions): string {
  const capabilities = [...buildCapabilities, ...(netboot ? netbootCapabilities : [])].map((each) => `CAP_${each}`).join(' ')
  // A /tmp of its own would hide what it needs of the other.
  const isInTmp = [program, configPath, dataDirectory].some((path) => /^\/(?:var\/)?tmp\//.test(path))
  const families = ['AF_UNIX', 'AF_INET', 'AF_INET6', 'AF_NETLINK', ...(netboot ? ['AF_PACKET'] : [])].join(' ')
  return `[Unit]
Description=Ingot first computer
Documentation=man:systemd.exec(5)
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=${quote(program)} serve --config ${quote(configPath)}
Restart=on-failure
RestartSec=5
# Jobs that wait for an answer are told that the server stops.
TimeoutStopSec=60
LimitNOFILE=65536

CapabilityBoundingSet=${capabilities}
NoNewPrivileges=yes

ProtectSystem=strict
ReadWritePaths=${quote(dataDirectory)}
ProtectHome=read-only
${isInTmp ? 'ReadWritePaths=/tmp /var/tmp' : 'PrivateTmp=yes'}
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictRealtime=yes
RestrictSUIDSGID=no
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private

# Besides null, zero and the like: a virtual machine proves an image, and a root filesystem is given its console.
DevicePolicy=closed
DeviceAllow=/dev/kvm rw
DeviceAllow=/dev/console m

RestrictAddressFamilies=${families}
RestrictNamespaces=mnt pid uts ipc
SystemCallArchitectures=native
SystemCallFilter=@system-service @mount seccomp
SystemCallFilter=~@clock @cpu-emulation @debug @module @obsolete @raw-io @reboot @swap
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`
}
