import { resolve } from 'node:path'
import { Type, type Static } from 'typebox'
import type { Fault } from '../../images/fault.ts'
import { IngotError } from '../errors.ts'
import { splitListen } from '../listen-address.ts'
import { readGivenCertificate, type CertificateFiles } from './given-certificate.ts'

const closed = { additionalProperties: false }

/** Between the ports of HTTP and HTTPS unless the configuration says otherwise: 443 beside 80, 8443 beside 8080. */
const portDistance = 363

const expected = '`off`, or the fields port, names, certificate and key'

/** HTTPS, as configurations have it. */
export const tlsSchema = Type.Union(
  [
    Type.Literal('off', { description: expected }),
    Type.Object(
      {
        /** Where HTTPS listens, at the address of `listen`. Default 363 above its port. */
        port: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535, description: 'a port from 0 to 65535' })),
        /** Further names and addresses that the server is asked at, for example `ingot.example`; its certificate names them. */
        names: Type.Optional(Type.Array(Type.String({ pattern: '^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$', description: 'a host name or an IPv4 address' }))),
        /** A certificate in PEM, followed by those that it leads to, and its private key, in place of those of the server's own authority. Taken relative to the file. */
        certificate: Type.Optional(Type.String({ minLength: 1 })),
        key: Type.Optional(Type.String({ minLength: 1 })),
      },
      closed,
    ),
  ],
  { description: expected },
)
export type TlsFile = Static<typeof tlsSchema>

/** How a server speaks HTTPS. */
export interface TlsConfig {
  port: number
  names: string[]
  /** A certificate that somebody else made; the server's own authority makes one otherwise. */
  given?: CertificateFiles
}

type TlsFields = Exclude<TlsFile, 'off'>

/** What the file says of HTTPS; undefined for none, which is the default of a server that only its own host can reach: nobody else can read what is said there. */
function fieldsOf(tls: TlsFile | undefined, listen: string): TlsFields | undefined {
  if (tls === 'off') return undefined
  return tls ?? (splitListen(listen).address.startsWith('127.') ? undefined : {})
}

const portOf = (tls: TlsFields, listenPort: number): number => tls.port ?? (listenPort === 0 ? 0 : listenPort + portDistance)

const filesOf = ({ certificate, key }: TlsFields, folder: string): CertificateFiles | undefined =>
  certificate === undefined || key === undefined ? undefined : { certificatePath: resolve(folder, certificate), keyPath: resolve(folder, key) }

/** What the schema cannot say; `folder` is what paths are relative to. A given certificate is read, so that what is wrong with it is told before any socket opens. */
export function faultsOfTls(tls: TlsFile | undefined, listen: string, folder: string): Fault[] {
  const file = fieldsOf(tls, listen)
  if (file === undefined) return []
  const faults: Fault[] = []
  const listenPort = splitListen(listen).port
  const port = portOf(file, listenPort)
  if (port > 65_535 && listenPort <= 65_535) faults.push({ path: tls === undefined ? ['tls'] : ['tls', 'port'], expected: `a field port: ${portDistance} above that of listen is none`, got: file.port === undefined ? 'nothing' : `${port}` })
  if (port !== 0 && port === listenPort) faults.push({ path: ['tls', 'port'], expected: 'another port than that of listen, which is for plain HTTP', got: `${port}` })
  if ((file.certificate === undefined) !== (file.key === undefined)) {
    const [missing, there] = file.key === undefined ? ['key', 'certificate'] : ['certificate', 'key']
    faults.push({ path: ['tls', missing], expected: `the ${missing === 'key' ? 'private key of the' : 'certificate of the'} ${there}`, got: 'nothing' })
  }
  const files = filesOf(file, folder)
  if (files !== undefined) {
    const read = readGivenCertificate(files)
    if ('fault' in read) faults.push({ ...read.fault, path: ['tls', ...read.fault.path] })
  }
  return faults
}

/** The configuration with its defaults; undefined when the server is to speak plain HTTP alone. */
export function resolveTls(tls: TlsFile | undefined, listen: string, folder: string): TlsConfig | undefined {
  const file = fieldsOf(tls, listen)
  if (file === undefined) return undefined
  const given = filesOf(file, folder)
  return { port: portOf(file, splitListen(listen).port), names: file.names ?? [], ...(given === undefined ? {} : { given }) }
}

/** Throws `IngotError` 'config-invalid' for a given certificate that has become unfit since the configuration was read. */
export function requireGivenCertificate(files: CertificateFiles) {
  const read = readGivenCertificate(files)
  if ('fault' in read) throw new IngotError('config-invalid', `tls.${read.fault.path.join('.')}: expected ${read.fault.expected}, got ${read.fault.got}`)
  return read
}
