import { Type, type Static } from 'typebox'
import { bootFiles } from '../../boot/firmware.ts'

const closed = { additionalProperties: false }
const ipv4 = Type.String({ format: 'ipv4' })
const range = Type.String({
  pattern: '^\\d+\\.\\d+\\.\\d+\\.\\d+ *- *\\d+\\.\\d+\\.\\d+\\.\\d+$',
  description: 'the first and the last address, like 192.0.2.100-192.0.2.200',
})
const mac = Type.String({ pattern: '^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$', description: 'a MAC address like 52-54-00-12-34-56' })
const withoutJob = Type.Optional(Type.Enum(['wait', 'local-disk']))
const policy = {
  /** `worker` (default), `local-disk` (an address and nothing to boot) or `ignore` (no answer at all). */
  boot: Type.Optional(Type.Enum(['worker', 'local-disk', 'ignore'])),
  /** Boot file in place of the one that fits the architecture. */
  file: Type.Optional(Type.Enum([...bootFiles])),
  /** Boot by what Microsoft and Debian signed, as `netboot.secureBoot`, which it overrides. */
  secureBoot: Type.Optional(Type.Boolean()),
  /** How proxyDHCP tells the boot file: `direct` in the offer, or `port-4011` on request; default by firmware. */
  proxyReply: Type.Optional(Type.Enum(['direct', 'port-4011'])),
}

/** `netboot` of `ingot.yaml`: boot services on one interface. */
export const netbootSchema = Type.Object(
  {
    /** The only interface that DHCP and TFTP answer on (F7), for example `eno2`. */
    interface: Type.String({ minLength: 1, maxLength: 15 }),
    /** `dhcp` (default): gives addresses. `proxy`: another DHCP server gives them, and this one only says what to boot. */
    mode: Type.Optional(Type.Enum(['dhcp', 'proxy'])),
    /** Give addresses although another DHCP server does so on the same network. Default false: it is refused. */
    allowOtherServers: Type.Optional(Type.Boolean()),
    /** Addresses handed out, `first-last`; in the mode `dhcp`, as are the five fields that follow. */
    range: Type.Optional(range),
    /** Default 3600. */
    leaseSeconds: Type.Optional(Type.Integer({ minimum: 120, maximum: 31_536_000 })),
    /** Default gateway told to machines; none unless given. */
    router: Type.Optional(ipv4),
    /** DNS servers told to machines: what fits into option 6, whose length is one byte (RFC 2132, section 3.8). */
    nameServers: Type.Optional(Type.Array(ipv4, { maxItems: 63 })),
    domain: Type.Optional(Type.String({ format: 'hostname' })),
    /** Networks behind DHCP relay agents. */
    relayed: Type.Optional(
      Type.Array(
        Type.Object(
          { network: Type.String({ pattern: '^\\d+\\.\\d+\\.\\d+\\.\\d+/\\d+$', description: 'a network like 192.0.2.0/24' }), range, router: Type.Optional(ipv4) },
          closed,
        ),
      ),
    ),
    /** What single machines get: always the same address, or something else to boot. */
    machines: Type.Optional(Type.Array(Type.Object({ mac, address: Type.Optional(ipv4), withoutJob, ...policy }, closed))),
    /** What all machines of an architecture (option 93) get, for example `7` for x64 UEFI. */
    architectures: Type.Optional(Type.Array(Type.Object({ code: Type.Integer({ minimum: 0, maximum: 65535 }), ...policy }, closed))),
    /** What a machine does that asks what to boot when no job is for it (F6): `wait` (default) for one in the worker, or boot its `local-disk`. */
    withoutJob,
    /** UEFI machines boot by shim, GRUB and kernel as Microsoft and Debian signed them, by PXE; also works where Secure Boot is off. Default false. */
    secureBoot: Type.Optional(Type.Boolean()),
    /** IPv6 router advertisements with lifetime 0, which save iPXE a wait of 13 s on a network without IPv6. Default true. */
    routerAdvertisements: Type.Optional(Type.Boolean()),
  },
  closed,
)
export type NetbootFile = Static<typeof netbootSchema>
