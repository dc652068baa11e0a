import { dirname, resolve } from 'node:path'
import { Type, type Static } from 'typebox'
import type { Fault } from '../../images/fault.ts'
import { parseDocumentAs, renderProblem } from '../../images/parse-document.ts'
import { fingerprintSchema } from '../api/fingerprint.ts'
import { IngotError } from '../errors.ts'
import { faultsOfListen, listenSchema, splitListen, type ListenAddress } from '../listen-address.ts'
import { faultsOfTls, resolveTls, tlsSchema, type TlsConfig } from '../tls/tls-config.ts'

const closed = { additionalProperties: false }
const credential = (role: string) =>
  Type.String({ pattern: '^[A-Za-z0-9_-]+$', description: `a credential made there by \`ingot token create --role ${role}\`` })

const firstComputerSchema = Type.Object(
  {
    /** Stands before the id of each of its jobs, `hall-a.web-1`; short, because a job's id has 100 characters at most. */
    name: Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$', description: 'a name of up to 32 small letters, digits and dashes, like hall-a' }),
    /** Where it is reached, for example `http://10.77.0.1:8080`; another master may be there. */
    url: Type.String({ pattern: '^https?://[^\\s/?#]+(/[^\\s?#]*)?$', description: 'an address like https://10.77.0.1:8443' }),
    /** What it shows to be the one by, where `url` begins with `https:`; without it the authorities that Node knows are trusted. */
    fingerprint: Type.Optional(fingerprintSchema),
    /** What the master may do there: as a worker for its workers, as an operator for its operators. */
    credentials: Type.Object({ worker: credential('worker'), operator: credential('operator') }, closed),
  },
  closed,
)

/** `master.yaml`, the configuration of a master. */
export const masterConfigSchema = Type.Object(
  {
    /** Data directory: the master's own credentials, and nothing else. Taken relative to the file. */
    data: Type.String({ minLength: 1 }),
    listen: listenSchema,
    /** HTTPS, as in `ingot.yaml`. */
    tls: Type.Optional(tlsSchema),
    /** In the order in which jobs of equal priority are taken. */
    firstComputers: Type.Array(firstComputerSchema, { minItems: 1 }),
    /** Whether `GET /metrics` is answered without a credential. Default false. */
    openMetrics: Type.Optional(Type.Boolean()),
  },
  closed,
)

export type FirstComputerConfig = Static<typeof firstComputerSchema>

/** A checked configuration of a master; its URLs end without a slash. */
export interface MasterConfig {
  dataDirectory: string
  listen: ListenAddress
  /** HTTPS; undefined for plain HTTP alone. */
  tls: TlsConfig | undefined
  firstComputers: FirstComputerConfig[]
  openMetrics: boolean
}

/** Reads `master.yaml`; `path` is for messages and for what is relative to it. Throws `IngotError` 'config-invalid' with every wrong field. */
export function parseMasterConfig(text: string, path: string): MasterConfig {
  const folder = dirname(resolve(path))
  const parsed = parseDocumentAs(masterConfigSchema, text, (file) => [...faultsOfListen(splitListen(file.listen)), ...faultsOfTls(file.tls, file.listen, folder), ...faultsOfFirstComputers(file.firstComputers)])
  if (parsed.value === undefined) {
    throw new IngotError('config-invalid', `${path} is not as expected`, { problems: parsed.problems.map((problem) => renderProblem(path, problem)) })
  }
  const { data, listen, tls, firstComputers, openMetrics = false } = parsed.value
  return {
    dataDirectory: resolve(folder, data),
    listen: splitListen(listen),
    tls: resolveTls(tls, listen, folder),
    firstComputers: firstComputers.map((each) => ({ ...each, url: withoutSlash(each.url) })),
    openMetrics,
  }
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '')

/** Each name tells one first computer, and none is listed twice: its jobs would be too. */
const faultsOfFirstComputers = (firstComputers: readonly FirstComputerConfig[]): Fault[] =>
  firstComputers.flatMap(({ name, url, fingerprint }, index) => {
    const earlier = firstComputers.slice(0, index)
    return [
      ...(URL.canParse(url) ? [] : [{ path: ['firstComputers', index, 'url'], expected: 'an address like https://10.77.0.1:8443', got: `"${url}"` }]),
      ...(fingerprint !== undefined && !url.startsWith('https:') ? [{ path: ['firstComputers', index, 'fingerprint'], expected: 'none for an address that does not begin with https:', got: fingerprint }] : []),
      ...(earlier.some((each) => each.name === name) ? [{ path: ['firstComputers', index, 'name'], expected: 'a name that no other first computer has', got: name }] : []),
      ...(earlier.some((each) => withoutSlash(each.url) === withoutSlash(url)) ? [{ path: ['firstComputers', index, 'url'], expected: 'an address that is not listed already', got: url }] : []),
    ]
  })
