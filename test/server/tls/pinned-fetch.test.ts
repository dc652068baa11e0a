import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type Server, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { faultOfPeer } from '../../../appliance/worker/check-peer.ts'
import { createPinnedFetch } from '../../../appliance/worker/pinned-fetch.ts'
import { askServer } from '../../../server/http-client.ts'
import { openAuthority } from '../../../server/tls/authority.ts'
import type { Identity } from '../../../server/tls/given-certificate.ts'
import { openServerCertificate } from '../../../server/tls/server-certificate.ts'
import { makeGiven, testFolder } from './make-given.ts'

/** Who listens on the wire: what was sent to it, and over how many connections. */
interface Listener {
  url: string
  seen: string[]
  connections: number
}

async function listen({ certificate, key }: Identity, more: ServerOptions = {}): Promise<Listener> {
  const server: Server = createServer({ cert: certificate, key, ...more }, (request, response) => {
    listener.seen.push(`${request.method} ${request.url} ${request.headers.authorization}`)
    request.resume().on('end', () => response.end('{"said":"yes"}'))
  })
  const listener: Listener = { url: '', seen: [], connections: 0 }
  server.on('connection', () => listener.connections++)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close().closeAllConnections())
  listener.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  return listener
}

/** A server as `ingot serve` has it: an authority of its own and what that signed. */
async function makeServer({ names = ['127.0.0.1'] } = {}): Promise<{ fingerprint: string; identity: Identity }> {
  const dataDirectory = await testFolder()
  const authority = await openAuthority(dataDirectory, { run })
  return { fingerprint: authority.fingerprint, identity: await openServerCertificate({ dataDirectory, authority, names, run }) }
}

const headers = { authorization: 'Bearer secret' }
/** Both that trust by fingerprints: the worker, and the commands. */
const clients: Record<string, (url: string, fingerprint: string) => Promise<unknown>> = {
  'the worker': async (url, fingerprint) => (await createPinnedFetch(fingerprint)(`${url}/jobs.json`, { headers })).json(),
  'a command': async (url, fingerprint) => (await askServer({ url, token: 'secret', fingerprint }, '/jobs.json')).json(),
}

test.each(Object.entries(clients))('%s speaks with the server of its authority', async (_, ask) => {
  const { fingerprint, identity } = await makeServer()
  const server = await listen(identity)
  expect(await ask(server.url, fingerprint)).toEqual({ said: 'yes' })
  expect(server.seen).toEqual(['GET /jobs.json Bearer secret'])
})

test.each(Object.entries(clients))('%s tells a man in the middle nothing, and says what was expected and got', async (_, ask) => {
  const [{ fingerprint }, other] = [await makeServer(), await makeServer()]
  const middle = await listen(other.identity)
  await expect(ask(middle.url, fingerprint)).rejects.toThrow(`the certificate of 127.0.0.1: expected one of the authority ${fingerprint}, got one of ${other.fingerprint}`)
  expect(middle.seen).toEqual([])
})

test.each(Object.entries(clients))('%s is not taken in by the certificate of the right authority behind one that it did not sign', async (_, ask) => {
  const { fingerprint, identity } = await makeServer()
  const right = identity.certificate.slice(identity.certificate.lastIndexOf('-----BEGIN'))
  const folder = await testFolder()
  // Called as that authority calls itself, so that the chain looks like one.
  const key = join(folder, 'key')
  await run('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key])
  const forger = join(folder, 'forger.crt')
  await run('openssl', ['req', '-x509', '-key', key, '-subj', '/CN=Ingot authority', '-out', forger])
  const forged = join(folder, 'forged.crt')
  await run('openssl', ['req', '-x509', '-key', key, '-CA', forger, '-CAkey', key, '-subj', '/CN=Ingot server', '-addext', 'subjectAltName=IP:127.0.0.1', '-out', forged])
  const middle = await listen({ key: await readFile(key, 'utf8'), certificate: `${await readFile(forged, 'utf8')}${right}` })
  await expect(ask(middle.url, fingerprint)).rejects.toThrow(/^.*expected (the signature of|one of the authority) /)
  expect(middle.seen).toEqual([])
})

test.each(Object.entries(clients))('%s wants a certificate that names where it asked', async (_, ask) => {
  const { fingerprint, identity } = await makeServer({ names: ['10.77.0.1', 'ingot.example'] })
  const server = await listen(identity)
  await expect(ask(server.url, fingerprint)).rejects.toThrow('the certificate of 127.0.0.1: expected that name in it, got IP Address:10.77.0.1, DNS:ingot.example')
  expect(server.seen).toEqual([])
})

test.each(Object.entries(clients))('%s takes the very key that was pinned, whatever a certificate says of it', async (_, ask) => {
  const folder = await testFolder()
  const { certificate, key } = await makeGiven(folder, 'given', { names: 'DNS:ingot.example' })
  const server = await listen({ certificate: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') })
  const digest = await run('sh', ['-c', 'openssl pkey -in "$1" -pubout -outform DER | sha256sum', 'sh', key])
  expect(await ask(server.url, `sha256:${digest.slice(0, 64)}`)).toEqual({ said: 'yes' })
})

test('a certificate that has ended is refused', async () => {
  const { fingerprint, identity } = await makeServer()
  // As TLS gives it: each certificate with the one that it leads to.
  const [own, authority] = identity.certificate.split(/(?<=END CERTIFICATE-----\n)/).map((pem) => new X509Certificate(pem))
  const shown = Object.defineProperty(own!, 'issuerCertificate', { value: authority })
  const at = (days: number) => faultOfPeer(shown, { host: '127.0.0.1', fingerprint }, Date.now() + days * 86_400_000)
  expect([at(0), at(-0.5), at(396)]).toEqual([undefined, undefined, undefined])
  expect(at(398)).toMatch(/^the certificate of 127\.0\.0\.1: expected one for now, \S+Z, got one from \S+Z to \S+Z$/)
  expect(at(-2)).toMatch(/expected one for now/)
})

test('one connection serves the requests of a worker one after the other, by TLS 1.3 and the cipher that suits its processor', async () => {
  const { fingerprint, identity } = await makeServer()
  const server = await listen(identity, { honorCipherOrder: false, maxVersion: 'TLSv1.3' })
  const ask = createPinnedFetch(fingerprint)
  for (const path of ['/credentials', '/jobs.json', '/status/a.json']) await (await ask(`${server.url}${path}`, { method: 'POST', body: 'x', headers })).text()
  expect(server.seen).toHaveLength(3)
  expect(server.connections).toBe(1)
  const old = await listen(identity, { maxVersion: 'TLSv1.2' })
  await expect(ask(`${old.url}/`)).rejects.toThrow(/protocol version/)
})

test('a server of plain HTTP in its place is refused, and one that is away is an outage like any other', async () => {
  const { fingerprint } = await makeServer()
  await expect(createPinnedFetch(fingerprint)('http://127.0.0.1:9/')).rejects.toThrow(/Protocol "http:" not supported/)
  await expect(createPinnedFetch(fingerprint)('https://127.0.0.1:9/')).rejects.toThrow(/ECONNREFUSED/)
})
