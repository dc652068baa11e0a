import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { dirname, resolve } from 'node:path'
import { Type, type Static } from 'typebox'
import type { Fault } from '../images/fault.ts'
import { parseDocumentAs, renderProblem } from '../images/parse-document.ts'
import { fingerprintSchema } from './api/fingerprint.ts'
import { IngotError } from './errors.ts'
import { faultsOfImages, imagesSchema, resolveImages, type ImagesConfig } from './image-store/images-config.ts'
import { faultsOfListen, listenSchema, splitListen, type ListenAddress } from './listen-address.ts'
import { faultsOfListRules, listRuleSchema, type ListRule } from './jobs/dynamic/list-rule.ts'
import { faultsOfNetboot, resolveNetboot, type Interfaces, type NetbootConfig } from './netboot/netboot-config.ts'
import { netbootSchema } from './netboot/netboot-schema.ts'
import { faultsOfTls, resolveTls, tlsSchema, type TlsConfig } from './tls/tls-config.ts'
import { faultsOfServers, markOwn, type OwnAddresses, type WalkedServer } from './tls/worker-servers.ts'
import { faultsOfWebhooks, resolveWebhooks, webhookSchema, type WebhookConfig } from './webhooks/webhook-config.ts'

const closed = { additionalProperties: false }
const url = Type.String({ format: 'uri', pattern: '^https?://' })

/** `ingot.yaml`, the configuration of a first computer. Durations in seconds, addresses IPv4. */
export const configSchema = Type.Object(
  {
    /** Data directory; taken relative to the file. */
    data: Type.String({ minLength: 1 }),
    listen: listenSchema,
    /** HTTPS, 363 ports above `listen` and by an authority of its own unless this says otherwise; `off` for plain HTTP alone, as without it at a loopback address. */
    tls: Type.Optional(tlsSchema),
    /** Boot services on one interface; leave out for a job server without them. */
    netboot: Type.Optional(netbootSchema),
    /** Job servers that workers walk, in order; default this one alone. */
    servers: Type.Optional(
      Type.Array(
        Type.Object(
          {
            url,
            /** What it shows to be the one by, where `url` begins with `https:`: `ingot tls show` tells it there. Not needed for this server itself. */
            fingerprint: Type.Optional(fingerprintSchema),
            /** A worker token made there by `ingot token create --role worker`; not needed for this server itself. */
            credential: Type.Optional(Type.String({ minLength: 1 })),
          },
          closed,
        ),
        { minItems: 1 },
      ),
    ),
    /**
     * Which machines get a ticket when they boot: those that an operator admitted, or `all` that ask, for a network where every machine is meant to be
     * installed. Default `ask`.
     */
    admit: Type.Optional(Type.Enum(['ask', 'all'])),
    /** Package archives, by name; default Debian's. */
    mirrors: Type.Optional(Type.Object({ debian: Type.Optional(url), 'debian-security': Type.Optional(url) }, closed)),
    /** Further folders of recipes; the recipes that ship with Ingot are always there. Taken relative to the file. */
    recipes: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
    /** Rules by which the server puts jobs on its list by itself; none unless given. */
    lists: Type.Optional(Type.Array(listRuleSchema)),
    images: Type.Optional(imagesSchema),
    /** How images are proven before they are visible. */
    proof: Type.Optional(
      Type.Object(
        {
          /** Images that are proven at once; each of their copies, on BIOS and on UEFI, has 1 GiB of memory. Default 1. */
          atOnce: Type.Optional(Type.Integer({ minimum: 1, maximum: 64 })),
          /** Every UEFI copy has Secure Boot on, whatever the recipe says. Default false. */
          secureBoot: Type.Optional(Type.Boolean()),
        },
        closed,
      ),
    ),
    /**
     * A PostgreSQL that keeps the job list in place of files of the data directory, for several servers that share no directory, for example
     * `postgres://ingot@db.example/ingot`.
     */
    database: Type.Optional(Type.String({ minLength: 1 })),
    /** Who is told of jobs and images; nobody unless given. */
    webhooks: Type.Optional(Type.Array(webhookSchema)),
    /** How many boots of each machine its timeline keeps, of 400 events at most; the oldest go first. Default 5. */
    keptBoots: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    /** Whether `GET /metrics` is answered without a credential. Default false. */
    openMetrics: Type.Optional(Type.Boolean()),
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
  /** HTTPS; undefined for plain HTTP alone. */
  tls: TlsConfig | undefined
  /** Its address and prefix are those of the interface, which machines reach this server by. */
  netboot: NetbootConfig | undefined
  /** This one alone unless the file names some. */
  servers: WalkedServer[] | undefined
  admit: 'ask' | 'all'
  mirrors: { debian: string; 'debian-security': string }
  recipeDirectories: string[]
  lists: ListRule[]
  /** Of the PostgreSQL that keeps the job list; files of the data directory when there is none. */
  databaseUrl?: string
  images: ImagesConfig
  proof: { atOnce: number; secureBoot: boolean }
  webhooks: WebhookConfig[]
  keptBoots: number
  openMetrics: boolean
  applianceDirectory: string
}

/** What a schema cannot say: that the fields fit each other and this host. */
function faultsOfHost(file: ConfigFile, interfaces: Interfaces): Fault[] {
  const listen = splitListen(file.listen)
  return [...faultsOfListen(listen), ...(file.netboot === undefined ? [] : faultsOfNetboot(file.netboot, listen, interfaces))]
}

/** By which addresses this server itself may be meant. */
function ownAddresses(file: ConfigFile, interfaces: Interfaces, folder: string): OwnAddresses {
  const { address, port } = splitListen(file.listen)
  const all = Object.values(interfaces).flatMap((each = []) => each.map((known) => known.address))
  return { hosts: address === '0.0.0.0' ? all : [address], port, httpsPort: resolveTls(file.tls, file.listen, folder)?.port }
}

/**
 * Reads `ingot.yaml` and checks it against this host, before any socket opens. `path` is for messages and for what is relative to it.
 * Throws `IngotError` 'config-invalid' with every wrong field: place, expected, got.
 */
export function parseConfig(text: string, path: string, interfaces: Interfaces = networkInterfaces()): Config {
  const folder = dirname(resolve(path))
  const parsed = parseDocumentAs(configSchema, text, (file) => [...faultsOfHost(file, interfaces), ...faultsOfTls(file.tls, file.listen, folder), ...faultsOfServers(file.servers ?? [], ownAddresses(file, interfaces, folder)), ...missingFolders(file, folder), ...faultsOfLists(file), ...faultsOfImages(file.images, folder), ...faultsOfWebhooks(file.webhooks ?? [], folder), ...faultsOfDatabase(file)])
  if (parsed.value === undefined) throw new IngotError('config-invalid', `${path} is not as expected`, { problems: parsed.problems.map((problem) => renderProblem(path, problem)) })
  const file = parsed.value
  const listen = splitListen(file.listen)
  const dataDirectory = resolve(folder, file.data)
  const netboot = file.netboot && resolveNetboot(file.netboot, listen, interfaces)
  return {
    dataDirectory,
    listen,
    tls: resolveTls(file.tls, file.listen, folder),
    netboot,
    servers: file.servers && markOwn(file.servers, ownAddresses(file, interfaces, folder)),
    admit: file.admit ?? 'ask',
    mirrors: { ...defaultMirrors, ...file.mirrors },
    recipeDirectories: (file.recipes ?? []).map((each) => resolve(folder, each)),
    lists: file.lists ?? [],
    ...(file.database === undefined ? {} : { databaseUrl: file.database }),
    images: resolveImages(file.images, folder),
    proof: { atOnce: file.proof?.atOnce ?? 1, secureBoot: file.proof?.secureBoot ?? false },
    webhooks: resolveWebhooks(file.webhooks ?? [], folder),
    keptBoots: file.keptBoots ?? 5,
    openMetrics: file.openMetrics ?? false,
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

/** Reads the configuration at a path. Throws `IngotError` 'config-invalid', also when it cannot be read. */
export async function readConfigFile(path: string): Promise<Config> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new IngotError('config-invalid', `the configuration cannot be read: ${error.message}`, { cause: error })
  })
  return parseConfig(text, path)
}

/** The configuration of `ingot serve --no-netboot --data DIR --listen ADDRESS:PORT`. Throws `IngotError` 'config-invalid' like `parseConfig`. */
export function configWithoutNetboot(options: { data: string; listen: string }): Config {
  return parseConfig(JSON.stringify(options), resolve('command-line'))
}
