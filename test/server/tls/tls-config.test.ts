import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../../server/config.ts'
import { IngotError } from '../../../server/errors.ts'
import { parseMasterConfig } from '../../../server/master/master-config.ts'
import { readGivenCertificate } from '../../../server/tls/given-certificate.ts'
import { workerServers } from '../../../server/tls/worker-servers.ts'
import { makeGiven, testFolder } from './make-given.ts'

const fingerprint = `sha256:${'9f'.repeat(32)}`
const read = (text: string, folder = '/etc/ingot') => parseConfig(`data: d\nlisten: 10.0.0.1:8080\n${text}`, join(folder, 'ingot.yaml'), {})
const problemsOf = (parse: () => unknown): string[] => {
  try {
    parse()
  } catch (error) {
    if (error instanceof IngotError) return error.problems.map((problem) => problem.replace(/^.*?\.yaml:\d+:\d+: /, ''))
    throw error
  }
  return []
}
const faults = (text: string, folder?: string) => problemsOf(() => read(text, folder))

describe('HTTPS in a configuration', () => {
  test('is on, 363 ports above HTTP, unless the file says otherwise', () => {
    expect(read('').tls).toEqual({ port: 8443, names: [] })
    expect(parseConfig('{"data":"d","listen":"10.0.0.1:80"}', 'x', {}).tls).toEqual({ port: 443, names: [] })
    expect(parseConfig('{"data":"d","listen":"0.0.0.0:0"}', 'x', {}).tls).toEqual({ port: 0, names: [] })
    expect(read('tls: { port: 9443, names: [ingot.example] }').tls).toEqual({ port: 9443, names: ['ingot.example'] })
    expect(read('tls: off').tls).toBeUndefined()
    const alone = (more: string) => parseConfig(`{"data":"d","listen":"127.0.0.1:80"${more}}`, 'x', {}).tls
    expect([alone(''), alone(',"tls":{}')]).toEqual([undefined, { port: 443, names: [] }])
  })

  test.each([
    ['tls: on', 'tls: expected `off`, or the fields port, names, certificate and key, got "on"'],
    ['tls: { prot: 1 }', 'tls.prot: expected a known key (nearest: port; all: port, names, certificate, key), got prot'],
    ['tls: { port: 65536 }', 'tls.port: expected a port from 0 to 65535, got 65536'],
    ['tls: { port: 8080 }', 'tls.port: expected another port than that of listen, which is for plain HTTP, got 8080'],
    ['tls: { names: ["a b"] }', 'tls.names[0]: expected a host name or an IPv4 address, got "a b"'],
    ['tls: { certificate: a.crt }', 'tls.key: expected the private key of the certificate, got nothing'],
    ['tls: { key: a.key }', 'tls.certificate: expected the certificate of the key, got nothing'],
    [`servers: [{ url: 'https://10.0.0.2:8443' }]`, 'servers[0].fingerprint: expected that of the server at https://10.0.0.2:8443, which `ingot tls show` tells there, got nothing'],
    [`servers: [{ url: 'http://10.0.0.2:8080', fingerprint: '${fingerprint}' }]`, `servers[0].fingerprint: expected none for an address that does not begin with https:, got ${fingerprint}`],
    [`servers: [{ url: 'https://10.0.0.2:8443', fingerprint: 'sha256:12' }]`, 'servers[0].fingerprint: expected a fingerprint like sha256:9f86…, which `ingot tls show` tells, got "sha256:12"'],
  ])('%s', (text, message) => expect(faults(text)).toEqual([message]))

  test('a port above which there is no room is told before any socket opens', () => {
    expect(problemsOf(() => parseConfig('{"data":"d","listen":"10.0.0.1:65500"}', 'x.yaml', {}))).toEqual(['tls: expected a field port: 363 above that of listen is none, got nothing'])
  })

  test('a certificate that is given must be there, be one, be good now, and fit its key', async () => {
    const folder = await testFolder()
    const { certificate, key } = await makeGiven(folder, 'good')
    const other = await makeGiven(folder, 'other')
    await writeFile(join(folder, 'none'), 'nonsense')
    const of = (crt: string, pem: string) => faults(`tls: { certificate: ${crt}, key: ${pem} }`, folder)
    expect(of('good.crt', 'good.key')).toEqual([])
    expect(read('tls: { certificate: good.crt, key: good.key }', folder).tls).toEqual({ port: 8443, names: [], given: { certificatePath: certificate, keyPath: key } })
    expect(of('gone.crt', 'good.key')).toEqual([expect.stringMatching(/^tls\.certificate: expected a certificate in PEM, got a file that cannot be read: ENOENT.*gone\.crt/)])
    expect(of('none', 'good.key')).toEqual([expect.stringMatching(/^tls\.certificate: expected a certificate in PEM, got .*none, which cannot be read as one/)])
    expect(of('good.crt', 'gone.key')).toEqual([expect.stringMatching(/^tls\.key: expected a private key in PEM, got a file that cannot be read: ENOENT/)])
    expect(of('good.crt', 'none')).toEqual([expect.stringMatching(/^tls\.key: expected a private key in PEM without a password, got .*none, which cannot be read as one/)])
    expect(of('good.crt', 'other.key')).toEqual([`tls.key: expected the private key of the certificate ${certificate}, got ${other.key}, which is that of another`])
    const faultAt = (days: number) => readGivenCertificate({ certificatePath: certificate, keyPath: key }, Date.now() + days * 86_400_000)
    expect(faultAt(29)).not.toHaveProperty('fault')
    expect(faultAt(31)).toMatchObject({ fault: { path: ['certificate'], expected: 'a certificate that is good now', got: expect.stringMatching(new RegExp(`^${certificate}, which ended \\d{4}-`)) } })
    expect(faultAt(-1)).toMatchObject({ fault: { got: expect.stringMatching(new RegExp(`^${certificate}, which begins \\d{4}-`)) } })
  })

  test('a master has the same, and knows its first computers by their fingerprints', () => {
    const file = (more: string, url = 'https://10.0.0.2:8443') => `data: d\nlisten: 10.0.0.1:8080\n${more}\nfirstComputers: [{ name: a, url: '${url}', fingerprint: '${fingerprint}', credentials: { worker: a, operator: b } }]`
    expect(parseMasterConfig(file(''), 'master.yaml')).toMatchObject({ tls: { port: 8443 }, firstComputers: [{ fingerprint }] })
    expect(parseMasterConfig(file('tls: off'), 'master.yaml').tls).toBeUndefined()
    expect(problemsOf(() => parseMasterConfig(file('tls: { port: 8080 }'), 'master.yaml'))).toEqual(['tls.port: expected another port than that of listen, which is for plain HTTP, got 8080'])
    expect(problemsOf(() => parseMasterConfig(file('', 'http://10.0.0.2:8080'), 'master.yaml'))).toEqual([`firstComputers[0].fingerprint: expected none for an address that does not begin with https:, got ${fingerprint}`])
  })
})

describe('the servers that workers walk', () => {
  const url = 'http://10.0.0.1:8080'
  const https = { url: 'https://10.0.0.1:8443', fingerprint }
  const other = { url: 'http://10.0.0.2:8080', credential: 'theirs' }

  test('this server is asked by HTTPS, also where the file names it by its address of plain HTTP', () => {
    expect(workerServers(undefined, { url, https })).toMatchObject([https])
    const named = read(`servers: [{ url: '${other.url}', credential: theirs }, { url: '${url}/' }, { url: 'https://10.0.0.1:8443' }]`).servers
    expect(workerServers(named, { url, https })).toMatchObject([other, https, https])
    expect(workerServers(named, { url, https })[0]).not.toHaveProperty('fingerprint')
  })

  test('without TLS it is asked as ever', () => {
    expect(workerServers(undefined, { url })).toMatchObject([{ url }])
    expect(workerServers(read(`tls: off\nservers: [{ url: '${other.url}', credential: theirs }]`).servers, { url })).toEqual([other])
  })
})
