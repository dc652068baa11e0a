import { X509Certificate } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { authorityPaths, openAuthority } from '../../../server/tls/authority.ts'
import type { Identity } from '../../../server/tls/given-certificate.ts'
import { openServerCertificate } from '../../../server/tls/server-certificate.ts'
import { renderAlternativeNames, serverNames } from '../../../server/tls/server-names.ts'

const dayMs = 86_400_000
const names = ['127.0.0.1', 'localhost']

async function folderOf(): Promise<{ data: string; keyPath: string; certificatePath: string }> {
  const data = await mkdtemp(join(tmpdir(), 'ingot-authority-'))
  onTestFinished(() => rm(data, { recursive: true }))
  return { data, ...authorityPaths(data) }
}

test('an authority is made once, by whoever is first, and its key is for nobody but its owner', async () => {
  const { data, keyPath, certificatePath } = await folderOf()
  const all = await Promise.all([1, 2, 3].map(() => openAuthority(data, { run })))
  expect(new Set(all.map(({ fingerprint }) => fingerprint)).size).toBe(1)
  expect((await stat(keyPath)).mode & 0o777).toBe(0o600)
  expect((await readdir(join(data, 'tls'))).toSorted()).toEqual(['authority.crt', 'authority.key'])
  const kept = await readFile(certificatePath, 'utf8')
  expect((await openAuthority(data, { run })).certificate.toString()).toBe(new X509Certificate(kept).toString())
  // What openssl makes of it.
  expect(await run('openssl', ['x509', '-in', certificatePath, '-noout', '-ext', 'basicConstraints,keyUsage'])).toMatch(/critical\s+CA:TRUE, pathlen:0[^]*critical\s+Certificate Sign$/)
  expect((await run('openssl', ['pkey', '-in', keyPath, '-noout', '-text'])).includes('NIST CURVE: P-256')).toBe(true)
})

test('the fingerprint is that of the public key, as other programs take it, and stays when the certificate is made anew', async () => {
  const { data, keyPath } = await folderOf()
  const { fingerprint, certificate } = await openAuthority(data, { run })
  const digest = await run('sh', ['-c', 'openssl pkey -in "$1" -pubout -outform DER | sha256sum', 'sh', keyPath])
  expect(fingerprint).toBe(`sha256:${digest.slice(0, 64)}`)
  const later = await openAuthority(data, { run, now: () => Date.parse(certificate.validTo) - 700 * dayMs })
  expect(later.fingerprint).toBe(fingerprint)
  expect(later.certificate.serialNumber).not.toBe(certificate.serialNumber)
})

test.each([
  ['a key that is none', async ({ keyPath }) => writeFile(keyPath, 'nonsense'), /authority\.key: expected a private key in PEM, got something that cannot be read/],
  ['a key that others may read', async ({ keyPath }) => chmod(keyPath, 0o640), /authority\.key: expected a file that only its owner may read, got permissions 0640; if nobody else has read it: chmod 600/],
  ['a key that is gone', async ({ keyPath }) => rm(keyPath), /authority\.key: expected the private key of .*authority\.crt beside it, got no file/],
  ['a certificate that is none', async ({ certificatePath }) => writeFile(certificatePath, '-----BEGIN'), /authority\.crt: expected a certificate in PEM, got something that cannot be read/],
  ['a key of another authority', async ({ keyPath }) => void (await run('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', keyPath])), /authority\.crt: expected a certificate of the key .*authority\.key, got one of another key/],
] as [string, (at: { keyPath: string; certificatePath: string }) => Promise<void>, RegExp][])('%s is one clear error, and nothing is lost', async (_, spoil, message) => {
  const at = await folderOf()
  await openAuthority(at.data, { run })
  await spoil(at)
  const contents = () => Promise.all([at.keyPath, at.certificatePath].map((path) => readFile(path, 'utf8').catch(() => 'gone')))
  const before = await contents()
  await expect(openAuthority(at.data, { run })).rejects.toThrow(message)
  await expect(openAuthority(at.data, { run })).rejects.toThrow(/put it back from a copy, or move the folder `tls` away|chmod 600/)
  expect(await contents()).toEqual(before)
})

test('the certificate of a server names where it is asked, is signed by the authority, and is kept', async () => {
  const { data, certificatePath } = await folderOf()
  const authority = await openAuthority(data, { run })
  const wanted = serverNames({ address: '10.77.0.1', names: ['ingot.example'], hostName: 'Rack-7' })
  expect(wanted).toEqual(['10.77.0.1', '127.0.0.1', 'ingot.example', 'localhost', 'rack-7'])
  const made = await openServerCertificate({ dataDirectory: data, authority, names: wanted, run })
  const path = join(data, 'tls', 'server.pem')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await run('openssl', ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_ip', '10.77.0.1', '-CAfile', certificatePath, path])).toBe(`${path}: OK`)
  expect(await run('openssl', ['verify', '-verify_hostname', 'ingot.example', '-CAfile', certificatePath, path])).toBe(`${path}: OK`)
  // The chain is shown whole: who knows the fingerprint alone must see the authority.
  expect(made.certificate.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
  expect((await openServerCertificate({ dataDirectory: data, authority, names: wanted, run })).certificate).toBe(made.certificate)
})

test('it is made anew before it ends, when the names change, when it is broken, and when it is of another authority', async () => {
  const { data } = await folderOf()
  const authority = await openAuthority(data, { run })
  const open = (more: object = {}) => openServerCertificate({ dataDirectory: data, authority, names, run, ...more })
  const serials = [new X509Certificate((await open()).certificate)]
  const next = async (more?: object) => void serials.push(new X509Certificate((await open(more)).certificate))
  await next({ now: () => Date.now() + (397 - 59) * dayMs })
  await next({ names: [...names, '10.77.0.1'] })
  await writeFile(join(data, 'tls', 'server.pem'), '-----BEGIN CERTIFICATE-----\nAAAA')
  await next()
  await rm(join(data, 'tls', 'authority.key'))
  await rm(join(data, 'tls', 'authority.crt'))
  await next({ authority: await openAuthority(data, { run }) })
  expect(new Set(serials.map(({ serialNumber }) => serialNumber)).size).toBe(5)
  expect(serials.at(-1)!.checkIssued(authority.certificate) && serials.at(-1)!.verify(authority.certificate.publicKey)).toBe(false)
})

test('two servers of one directory that are asked at different addresses do not take turns with new certificates', async () => {
  const { data } = await folderOf()
  const authority = await openAuthority(data, { run })
  const open = (address: string, shown?: Identity) => openServerCertificate({ dataDirectory: data, authority, names: [address], shown, run })
  const one = await open('10.77.0.1')
  const other = await open('10.78.0.1')
  expect([await open('10.77.0.1', one), await open('10.78.0.1', other)]).toEqual([one, other])
})

test('every address of the host is named where every one is listened on, and no name that the DNS cannot have', () => {
  const interfaces = { eno2: [{ family: 'IPv4', address: '10.77.0.1' }, { family: 'IPv6', address: 'fe80::1' }] } as never
  expect(serverNames({ address: '0.0.0.0', names: [], interfaces, hostName: 'bad_name' })).toEqual(['10.77.0.1', '127.0.0.1', 'localhost'])
  expect(renderAlternativeNames(['10.77.0.1', 'localhost'])).toBe('IP:10.77.0.1, DNS:localhost')
})

test('no key stands on the command line of the program that makes certificates, or stays behind in its files', async () => {
  const { data, keyPath } = await folderOf()
  const lines: string[] = []
  const watched: typeof run = (program, args, options) => {
    lines.push([program, ...args, options?.input ?? ''].join(' '))
    return run(program, args, options)
  }
  const authority = await openAuthority(data, { run: watched })
  await openServerCertificate({ dataDirectory: data, authority, names, run: watched })
  expect(lines).toHaveLength(2)
  const secrets = [keyPath, join(data, 'tls', 'server.pem')].map((path) => readFile(path, 'utf8'))
  for (const secret of await Promise.all(secrets)) expect(lines.join('\n')).not.toContain(secret.split('\n')[1])
  const folders = lines.map((line) => /-config (\S+)\/request /.exec(line)![1]!)
  for (const folder of folders) await expect(stat(folder)).rejects.toThrow(/ENOENT/)
})

test('a host without openssl is told what to install', async () => {
  const { data } = await folderOf()
  const without: typeof run = (_, args, options) => run('ingot-has-no-openssl', args, options)
  await expect(openAuthority(data, { run: without })).rejects.toThrow(/certificates are made by the program openssl, which does not run here .*apt-get install openssl.*tls: off/)
})
