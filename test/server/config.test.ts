import { describe, expect, test } from 'vitest'
import { configWithoutNetboot, parseConfig, type Interfaces } from '../../server/config.ts'
import { IngotError } from '../../server/errors.ts'

const interfaces: Interfaces = {
  lo: [{ address: '127.0.0.1', netmask: '255.0.0.0', family: 'IPv4', mac: '', internal: true, cidr: '127.0.0.1/8' }],
  eno2: [{ address: '10.77.0.1', netmask: '255.255.255.0', family: 'IPv4', mac: '', internal: false, cidr: '10.77.0.1/24' }],
  eno3: [{ address: 'fe80::1', netmask: 'ffff::', family: 'IPv6', mac: '', internal: false, cidr: 'fe80::1/64', scopeid: 3 }],
}
const read = (text: string) => parseConfig(text, '/etc/ingot/ingot.yaml', interfaces)
const problemsOf = (text: string): readonly string[] => {
  try {
    read(text)
  } catch (error) {
    if (error instanceof IngotError) return error.problems
    throw error
  }
  return []
}

describe('a whole configuration', () => {
  test('gets its defaults, and paths relative to the file', () => {
    const config = read('data: ../var\nlisten: 10.77.0.1:8080\nnetboot:\n  interface: eno2\n  range: 10.77.0.100-10.77.0.200\n')
    expect(config).toEqual({
      dataDirectory: '/etc/var',
      listen: { address: '10.77.0.1', port: 8080 },
      netboot: {
        interfaceName: 'eno2',
        address: '10.77.0.1',
        prefixLength: 24,
        range: { first: '10.77.0.100', last: '10.77.0.200' },
        leaseSeconds: 3600,
        nameServers: [],
        routerAdvertisements: true,
      },
      servers: [{ url: 'http://10.77.0.1:8080' }],
      mirrors: { debian: 'http://deb.debian.org/debian', 'debian-security': 'http://deb.debian.org/debian-security' },
      recipeDirectories: [],
      lists: [],
      images: {},
      applianceDirectory: '/etc/var/appliance',
    })
  })

  test('without netboot is a job server', () => {
    const config = configWithoutNetboot({ data: '/srv/ingot', listen: '127.0.0.1:0' })
    expect(config.netboot).toBeUndefined()
    expect(config.dataDirectory).toBe('/srv/ingot')
  })
})

describe('every wrong field is told at once: place, expected, got', () => {
  test('fields of a wrong shape', () => {
    expect(problemsOf('listen: eighty\nnetboot:\n  interface: eno2\n  rang: 1-2\n  leaseSeconds: 5\nservers: []\n')).toEqual([
      '/etc/ingot/ingot.yaml:1:1: data: expected a value, got nothing',
      '/etc/ingot/ingot.yaml:1:9: listen: expected an address and a port like 192.0.2.1:8080, got "eighty"',
      '/etc/ingot/ingot.yaml:3:3: netboot.range: expected the first and the last address, like 192.0.2.100-192.0.2.200, got nothing',
      '/etc/ingot/ingot.yaml:4:3: netboot.rang: expected a known key (nearest: range; all: interface, range, leaseSeconds, router, nameServers, domain, routerAdvertisements), got rang',
      '/etc/ingot/ingot.yaml:5:17: netboot.leaseSeconds: expected a number >= 120, got 5',
      '/etc/ingot/ingot.yaml:6:1: servers: expected at least 1 of them, got []',
    ])
  })

  test('fields that do not fit this host', () => {
    expect(problemsOf('data: d\nlisten: 10.9.9.9:8080\nnetboot:\n  interface: eno2\n  range: 10.78.0.5-10.77.0.4\n')).toEqual([
      '/etc/ingot/ingot.yaml:2:9: listen: expected 10.77.0.1 (the address of eno2, where machines boot) or 0.0.0.0, got 10.9.9.9',
      "/etc/ingot/ingot.yaml:5:10: netboot.range: expected addresses of eno2's network 10.77.0.1/24, got 10.78.0.5",
      '/etc/ingot/ingot.yaml:5:10: netboot.range: expected the lower address first, got 10.78.0.5-10.77.0.4',
    ])
  })

  test.each([
    ['eth7', 'expected a network interface of this host that is up and has an address (eno2, eno3), got "eth7"'],
    ['eno3', 'expected an interface with an IPv4 address, got eno3 has none'],
  ])('the interface %s', (name, message) => {
    expect(problemsOf(`data: d\nlisten: 0.0.0.0:80\nnetboot:\n  interface: ${name}\n  range: 10.77.0.3-10.77.0.4\n`)).toEqual([
      `/etc/ingot/ingot.yaml:4:14: netboot.interface: ${message}`,
    ])
  })

  test('a range that holds our own address', () => {
    expect(problemsOf('data: d\nlisten: 0.0.0.0:80\nnetboot:\n  interface: eno2\n  range: 10.77.0.1-10.77.0.9\n')).toEqual([
      "/etc/ingot/ingot.yaml:5:10: netboot.range: expected a range without this host's own address 10.77.0.1, got 10.77.0.1-10.77.0.9",
    ])
  })

  test('rules of the list: which rule, what was expected, what was got', () => {
    const rules = [
      "- { name: nightly, recipe: debian-12, cron: '61 3 * * *' }",
      "- { name: nightly, recipe: '*', cron: '0 3 * * *', timeZone: Mars/Olympus }",
      "- { recipe: debian-12, when: changed, name: web, priority: high }",
      "- { recipe: debian-12 }",
    ]
    expect(problemsOf(`data: d\nlisten: 127.0.0.1:1\nlists:\n${rules.join('\n')}\n`)).toEqual(['/etc/ingot/ingot.yaml:6:60: lists[2].priority: expected integer, got "high"'])
    expect(problemsOf(`data: d\nlisten: 127.0.0.1:1\nlists:\n${rules.join('\n').replace(', priority: high', '')}\n`)).toEqual([
      '/etc/ingot/ingot.yaml:4:45: lists[0].cron: expected five fields of cron at which a moment comes, like 0 3 * * * for three at night, got "61 3 * * *" (Invalid value for minute: 61)',
      '/etc/ingot/ingot.yaml:5:11: lists[1].name: expected a name that no other rule has, got "nightly"',
      '/etc/ingot/ingot.yaml:5:28: lists[1].recipe: expected the name of one recipe beside cron, got "*"',
      '/etc/ingot/ingot.yaml:5:62: lists[1].timeZone: expected a time zone of the IANA database, like Europe/Berlin, got "Mars/Olympus"',
      '/etc/ingot/ingot.yaml:6:45: lists[2].name: expected nothing beside when: changed, got "web"',
      '/etc/ingot/ingot.yaml:7:3: lists[3]: expected when: changed, or name and cron, got neither',
    ])
    for (const cron of ['0 3 * *', '0 0 31 2 *', '2026-11-24T00:00:00', '0 0 3 * * *']) {
      expect(problemsOf(`data: d\nlisten: 127.0.0.1:1\nlists:\n  - { name: n, recipe: r, cron: '${cron}' }\n`)).toEqual([
        expect.stringMatching(/^\/etc\/ingot\/ingot\.yaml:4:33: lists\[0\]\.cron: expected five fields of cron/),
      ])
    }
  })

  test('rules of the list are read with the choices of a job', () => {
    const rule = { name: 'nightly', recipe: 'debian-12', cron: '0 3 * * *', timeZone: 'Europe/Berlin', priority: 5, requires: { labels: { rack: 'b2' } } }
    expect(read(`data: d\nlisten: 127.0.0.1:1\nlists: [${JSON.stringify(rule)}, { recipe: '*', when: changed }]\n`).lists).toEqual([rule, { recipe: '*', when: 'changed' }])
  })

  test('the address of a database, without the password', () => {
    expect(problemsOf('data: d\nlisten: 0.0.0.0:80\ndatabase: mysql://ingot:secret@db/ingot\n')).toEqual([
      '/etc/ingot/ingot.yaml:3:11: database: expected an address like postgres://ingot@db.example/ingot, got one that does not begin with postgres://',
    ])
    expect(read('data: d\nlisten: 0.0.0.0:80\ndatabase: postgres://ingot:secret@db/ingot\n').databaseUrl).toBe('postgres://ingot:secret@db/ingot')
  })

  test('text that is no YAML', () => {
    expect(problemsOf('data: [1\nlisten: x')[0]).toMatch(/^\/etc\/ingot\/ingot\.yaml:2:1: expected YAML, got /)
  })
})
