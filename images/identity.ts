import { Type, type Static } from 'typebox'

/*
 * What tells one copy of an image from another: who the machine is, who may log in, and where it is on the network. A user writes it into a
 * job of kind deploy, the plan carries it, and the worker gives it to the system that it has written to the disk. Each `description` is what an
 * error message says was expected.
 */

const closed = { additionalProperties: false }

/** A line as in `authorized_keys` (sshd(8)), without options: `ssh-ed25519 AAAAC3… ops@example`. */
const sshKey = Type.String({
  pattern: '^(sk-)?(ssh|ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/]{16,}={0,3}( [^\\p{Cc}]*)?$',
  maxLength: 16_384,
  description: 'a public SSH key on one line, like "ssh-ed25519 AAAA… name"',
})
const sshKeys = Type.Array(sshKey, { description: 'a list of public SSH keys' })

/** useradd(8) on Debian, `NAME_REGEX` of adduser.conf(5). */
const userName = Type.String({ pattern: '^[a-z_][a-z0-9_-]{0,30}$', description: 'the name of a user: up to 31 lower-case letters, digits, dashes and underscores' })

export const userSchema = Type.Object(
  {
    name: userName,
    /** Beside those of `sshKeys` of the deployment. */
    sshKeys: Type.Optional(sshKeys),
    /** Groups beside the user's own; they must be there in the image. */
    groups: Type.Optional(Type.Array(userName, { description: 'a list of groups' })),
    /** May become root by sudo without a password: a user who logs in by key has none. Default false. */
    sudo: Type.Optional(Type.Boolean({ description: 'true or false' })),
  },
  { ...closed, description: 'name, sshKeys, groups and sudo' },
)
export type User = Static<typeof userSchema>

const octet = '(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])'
const ipv4 = `(${octet}\\.){3}${octet}`
const ipAddress = Type.String({ pattern: `^(${ipv4}|[0-9a-fA-F:]*:[0-9a-fA-F:]*)$`, description: 'an IP address, like 192.0.2.1' })

/** How one interface of the machine gets its address. */
export const networkSchema = Type.Object(
  {
    /** The interface by its MAC address. Default: the one that the machine booted from. */
    mac: Type.Optional(Type.String({ pattern: '^[0-9a-f]{2}(:[0-9a-f]{2}){5}$', description: 'a MAC address, like 52:54:00:12:34:56' })),
    /** `dhcp`, or addresses with the length of their prefix. */
    addresses: Type.Union(
      [
        Type.Literal('dhcp', { description: 'dhcp, or a list of addresses like 192.0.2.10/24' }),
        Type.Array(Type.String({ pattern: `^(${ipv4}/(3[0-2]|[12]?[0-9])|[0-9a-fA-F:]*:[0-9a-fA-F:]*/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))$`, description: 'an address with its prefix, like 192.0.2.10/24' }), {
          minItems: 1,
        }),
      ],
      { description: 'dhcp, or a list of addresses like 192.0.2.10/24' },
    ),
    gateway: Type.Optional(ipAddress),
    nameServers: Type.Optional(Type.Array(ipAddress, { minItems: 1, description: 'a list of IP addresses' })),
    /** Domains that are searched for short names. */
    searchDomains: Type.Optional(Type.Array(Type.String({ pattern: '^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$', description: 'a domain' }), { minItems: 1, description: 'a list of domains' })),
  },
  { ...closed, description: 'mac, addresses, gateway, nameServers and searchDomains' },
)
export type Network = Static<typeof networkSchema>

/** The fields of an identity, all of which may be left out: the image's own then stay, or are made at its first boot. */
export const identityFields = {
  /** With or without its domain (RFC 1123, 2.1): `web-1`, `web-1.example`. */
  hostname: Type.Optional(
    Type.String({
      pattern: '^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$',
      description: 'a host name, like web-1 or web-1.example',
    }),
  ),
  users: Type.Optional(Type.Array(userSchema, { description: 'a list of users' })),
  /** Who has one of these may log in as each of `users`, or as root when there are none. */
  sshKeys: Type.Optional(sshKeys),
  network: Type.Optional(networkSchema),
} as const

export const identitySchema = Type.Object(identityFields, { ...closed, description: 'hostname, users, sshKeys and network' })
export type Identity = Static<typeof identitySchema>
