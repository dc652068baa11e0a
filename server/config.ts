import { existsSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os'
import { dirname, resolve } from 'node:path'
import { Type, type Static } from 'typebox'
import type { Fault } from '../images/fault.ts'
import { parseDocumentAs, renderProblem } from '../images/parse-document.ts'
import { IngotError } from './errors.ts'
import { faultsOfImages, imagesSchema, resolveImages, type ImagesConfig } from './image-store/images-config.ts'
import { faultsOfListen, listenSchema, splitListen, type ListenAddress } from './listen-address.ts'
import { faultsOfListRules, listRuleSchema, type ListRule } from './jobs/dynamic/list-rule.ts'
import type { NetbootOptions } from './netboot/netboot.ts'

const closed = { additionalProperties: false }
const url = Type.String({ format: 'uri', pattern: '^https?://' })

/** `ingot.yaml`, the configuration of a first computer. Durations in seconds, addresses IPv4. */
export const configSchema = Type.Object(
  {
    /** Data directory; taken relative to the file. */
    data: Type.String({ minLength: 1 }),
    listen: listenSchema,
    /** Boot services on one interface; leave out for a job server without them. */
    netboot: Type.Optional(
      Type.Object(
        {
          /** The only interface that DHCP and TFTP answer on (F7), for example `eno2`. */
          interface: Type.String({ minLength: 1, maxLength: 15 }),
          /** Addresses handed out, `first-last`. */
          range: Type.String({ pattern: '^\\d+\\.\\d+\\.\\d+\\.\\d+ *- *\\d+\\.\\d+\\.\\d+\\.\\d+$', description: 'the first and the last address, like 192.0.2.100-192.0.2.200' }),
          /** Default 3600. */
          leaseSeconds: Type.Optional(Type.Integer({ minimum: 120, maximum: 31_536_000 })),
          /** Default gateway told to machines; none unless given. */
          router: Type.Optional(Type.String({ format: 'ipv4' })),
          /** DNS servers told to machines. */
          nameServers: Type.Optional(Type.Array(Type.String({ format: 'ipv4' }))),
          domain: Type.Optional(Type.String({ format: 'hostname' })),
          /** IPv6 router advertisements with lifetime 0, which save iPXE a wait of 13 s on a network without IPv6. Default true. */
          routerAdvertisements: Type.Optional(Type.Boolean()),
        },
        closed,
      ),
    ),
    /** Job servers that workers walk, in order; default this one alone. */
    servers: Type.Optional(
      Type.Array(
        Type.Object(
          {
            url,
            /** A worker token made there by `ingot token create --role worker`; not needed for this server itself. */
            credential: Type.Optional(Type.String({ minLength: 1 })),
          },
          closed,
        ),
        { minItems: 1 },
      ),
    ),
    /** Package archives, by name; default Debian's. */
    mirrors: Type.Optional(Type.Object({ debian: Type.Optional(url), 'debian-security': Type.Optional(url) }, closed)),
    /** Further folders of recipes; the recipes that ship with Ingot are always there. Taken relative to the file. */
    recipes: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
    /** Rules by which the server puts jobs on its list by itself; none unless given. */
    lists: Type.Optional(Type.Array(listRuleSchema)),
    images: Type.Optional(imagesSchema),
    /**
     * A PostgreSQL that keeps the job list in place of files of the data directory, for several servers that share no directory, for example
     * `postgres://ingot@db.example/ingot`.
     */
    database: Type.Optional(Type.String({ minLength: 1 })),
    /** Where the built appliance is; default `appliance` in the data directory. Taken relative to the file. */
    appliance: Type.Optional(Type.String({ minLength: 1 })),
  },
  closed,
)
type ConfigFile = Static<typeof configSchema>

export const defaultMirrors = {
  debian: 'http://deb.debian.org/debian',
  'debian-security': 'http://deb.debian.org/debian-security',
}

/** A checked configuration with every default filled in. */
export interface Config {
  dataDirectory: string
  listen: ListenAddress
  /** Its address and prefix are those of the interface, which machines reach this server by. */
  netboot:
    | Pick<NetbootOptions, 'interfaceName' | 'address' | 'prefixLength' | 'range' | 'leaseSeconds' | 'router' | 'nameServers' | 'domain' | 'routerAdvertisements'>
    | undefined
  servers: { url: string; credential?: string }[]
  mirrors: { debian: string; 'debian-security': string }
  recipeDirectories: string[]
  lists: ListRule[]
  /** Of the PostgreSQL that keeps the job list; files of the data directory when there is none. */
  databaseUrl?: string
  images: ImagesConfig
  applianceDirectory: string
}

export type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>

const toNumber = (address: string): number => address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
const networkOf = (address: string, prefixLength: number): number => Math.floor(toNumber(address) / 2 ** (32 - prefixLength))

const splitRange = (range: string): { first: string; last: string } => {
  const [first = '', last = ''] = range.split('-').map((part) => part.trim())
  return { first, last }
}

/** The IPv4 address of an interface that the boot services use: the one HTTP listens on if it is there, else its first. */
function bootAddress(interfaces: Interfaces, name: string, listenAddress: string): NetworkInterfaceInfo | undefined {
  const addresses = (interfaces[name] ?? []).filter((each) => each.family === 'IPv4')
  return addresses.find((each) => each.address === listenAddress) ?? addresses[0]
}

/** What a schema cannot say: that the fields fit each other and this host. */
function faultsOfHost(file: ConfigFile, interfaces: Interfaces): Fault[] {
  const { address, port } = splitListen(file.listen)
  const faults = faultsOfListen({ address, port })
  const { netboot } = file
  if (netboot === undefined) return faults

  const { first, last } = splitRange(netboot.range)
  const badAddress = [first, last].find((each) => !isIPv4(each))
  if (badAddress !== undefined) faults.push({ path: ['netboot', 'range'], expected: 'two IPv4 addresses', got: `"${badAddress}"` })
  const known = Object.keys(interfaces).filter((name) => name !== 'lo')
  const own = bootAddress(interfaces, netboot.interface, address)
  if (interfaces[netboot.interface] === undefined) {
    faults.push({
      path: ['netboot', 'interface'],
      expected: `a network interface of this host that is up and has an address (${known.join(', ') || 'there is none'})`,
      got: `"${netboot.interface}"`,
    })
  } else if (own === undefined) {
    faults.push({ path: ['netboot', 'interface'], expected: 'an interface with an IPv4 address', got: `${netboot.interface} has none` })
  } else if (badAddress === undefined) {
    const prefixLength = Number(own.cidr?.split('/')[1])
    const inside = (each: string) => networkOf(each, prefixLength) === networkOf(own.address, prefixLength)
    const outside = [first, last].find((each) => !inside(each))
    if (outside !== undefined) {
      faults.push({ path: ['netboot', 'range'], expected: `addresses of ${netboot.interface}'s network ${own.cidr}`, got: outside })
    }
    if (toNumber(first) > toNumber(last)) faults.push({ path: ['netboot', 'range'], expected: 'the lower address first', got: netboot.range })
    if (toNumber(first) <= toNumber(own.address) && toNumber(own.address) <= toNumber(last)) {
      faults.push({ path: ['netboot', 'range'], expected: `a range without this host's own address ${own.address}`, got: netboot.range })
    }
    if (isIPv4(address) && address !== own.address && address !== '0.0.0.0') {
      faults.push({
        path: ['listen'],
        expected: `${own.address} (the address of ${netboot.interface}, where machines boot) or 0.0.0.0`,
        got: address,
      })
    }
    if (netboot.router !== undefined && !inside(netboot.router)) {
      faults.push({ path: ['netboot', 'router'], expected: `an address of ${own.cidr}`, got: netboot.router })
    }
  }
  if (port === 0) faults.push({ path: ['listen'], expected: 'a fixed port, because boot scripts name it', got: '0' })
  return faults
}

/**
 * Reads `ingot.yaml` and checks it against this host, before any socket opens. `path` is for messages and for what is relative to it.
 * Throws `IngotError` 'config-invalid' with every wrong field: place, expected, got.
 */
export function parseConfig(text: string, path: string, interfaces: Interfaces = networkInterfaces()): Config {
  const folder = dirname(resolve(path))
  const parsed = parseDocumentAs(configSchema, text, (file) => [...faultsOfHost(file, interfaces), ...missingFolders(file, folder), ...faultsOfLists(file), ...faultsOfImages(file.images, folder), ...faultsOfDatabase(file)])
  if (parsed.value === undefined) throw new IngotError('config-invalid', `${path} is not as expected`, { problems: parsed.problems.map((problem) => renderProblem(path, problem)) })
  const file = parsed.value
  const listen = splitListen(file.listen)
  const dataDirectory = resolve(folder, file.data)
  const own = file.netboot && bootAddress(interfaces, file.netboot.interface, listen.address)
  const netboot =
    file.netboot && own
      ? {
          interfaceName: file.netboot.interface,
          address: own.address,
          prefixLength: Number(own.cidr?.split('/')[1]),
          range: splitRange(file.netboot.range),
          leaseSeconds: file.netboot.leaseSeconds ?? 3600,
          ...(file.netboot.router === undefined ? {} : { router: file.netboot.router }),
          nameServers: file.netboot.nameServers ?? [],
          ...(file.netboot.domain === undefined ? {} : { domain: file.netboot.domain }),
          routerAdvertisements: file.netboot.routerAdvertisements ?? true,
        }
      : undefined
  return {
    dataDirectory,
    listen,
    netboot,
    servers: file.servers ?? [{ url: `http://${netboot?.address ?? listen.address}:${listen.port}` }],
    mirrors: { ...defaultMirrors, ...file.mirrors },
    recipeDirectories: (file.recipes ?? []).map((each) => resolve(folder, each)),
    lists: file.lists ?? [],
    ...(file.database === undefined ? {} : { databaseUrl: file.database }),
    images: resolveImages(file.images, folder),
    applianceDirectory: file.appliance === undefined ? resolve(dataDirectory, 'appliance') : resolve(folder, file.appliance),
  }
}

/** What was got is not shown: it may hold a password. */
const faultsOfDatabase = ({ database }: ConfigFile): Fault[] =>
  database === undefined || /^postgres(ql)?:\/\/./.test(database)
    ? []
    : [{ path: ['database'], expected: 'an address like postgres://ingot@db.example/ingot', got: 'one that does not begin with postgres://' }]

const missingFolders = (file: ConfigFile, folder: string): Fault[] =>
  (file.recipes ?? []).flatMap((each, index) =>
    existsSync(resolve(folder, each)) ? [] : [{ path: ['recipes', index], expected: 'a folder', got: `${resolve(folder, each)} does not exist` }],
  )

const faultsOfLists = ({ lists = [] }: ConfigFile): Fault[] => faultsOfListRules(lists).map((fault) => ({ ...fault, path: ['lists', ...fault.path] }))

/** The configuration of `ingot serve --no-netboot --data DIR --listen ADDRESS:PORT`. Throws `IngotError` 'config-invalid' like `parseConfig`. */
export function configWithoutNetboot(options: { data: string; listen: string }): Config {
  return parseConfig(JSON.stringify(options), resolve('command-line'))
}
