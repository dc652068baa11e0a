import { describe, expect, test } from 'vitest'
import { configWithoutNetboot, parseConfig } from '../../server/config.ts'
import { IngotError } from '../../server/errors.ts'
import type { Interfaces } from '../../server/netboot/netboot-config.ts'

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
      admit: 'ask',
      dataDirectory: '/etc/var',
      listen: { address: '10.77.0.1', port: 8080 },
      netboot: {
        interfaceName: 'eno2',
        address: '10.77.0.1',
        prefixLength: 24,
        dhcp: {
          range: { first: '10.77.0.100', last: '10.77.0.200' },
          leaseSeconds: 3600,
          router: undefined,
          nameServers: [],
          domain: undefined,
          relayed: [],
          reservations: new Map(),
        },
        policies: [],
        withoutJob: 'wait',
        allowOtherServers: false,
        routerAdvertisements: true,
      },
      tls: { port: 8443, names: [] },
      servers: undefined,
      mirrors: { debian: 'http://deb.debian.org/debian', 'debian-security': 'http://deb.debian.org/debian-security' },
      recipeDirectories: [],
      lists: [],
      images: {},
      proof: { atOnce: 1, secureBoot: false },
      webhooks: [],
      keptBoots: 5,
      openMetrics: false,
      applianceDirectory: '/etc/var/appliance',
    })
  })

  test('says how many proofs run at once, and whether all of them are under Secure Boot', () => {
    expect(read('data: d\nlisten: 127.0.0.1:80\nproof: { atOnce: 2, secureBoot: true }\n').proof).toEqual({ atOnce: 2, secureBoot: true })
    expect(problemsOf('data: d\nlisten: 127.0.0.1:80\nproof: { atOnce: 0 }\n')).toEqual(['/etc/ingot/ingot.yaml:3:18: proof.atOnce: expected a number >= 1, got 0'])
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
      '/etc/ingot/ingot.yaml:4:3: netboot.rang: expected a known key (nearest: range; all: interface, mode, allowOtherServers, range, leaseSeconds, router, nameServers, domain, relayed, machines, architectures, withoutJob, secureBoot, routerAdvertisements), got rang',
      '/etc/ingot/ingot.yaml:5:17: netboot.leaseSeconds: expected a number >= 120, got 5',
      '/etc/ingot/ingot.yaml:6:1: servers: expected at least 1 of them, got []',
    ])
  })

  test('more name servers than an option of DHCP holds', () => {
    const file = (count: number) => `data: d\nlisten: 0.0.0.0:80\nnetboot:\n  interface: eno2\n  range: 10.77.0.3-10.77.0.4\n  nameServers: [${Array(count).fill('10.77.0.1').join(', ')}]\n`
    expect(problemsOf(file(64))).toEqual(['/etc/ingot/ingot.yaml:6:3: netboot.nameServers: expected at most 63 of them, got 64'])
    expect(read(file(63)).netboot?.dhcp?.nameServers).toHaveLength(63)
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

  test('a mode that its fields do not fit', () => {
    const file = (netboot: string) => `data: d\nlisten: 0.0.0.0:80\nnetboot: { interface: eno2, ${netboot} }\n`
    expect(problemsOf(file('domain: a.example'))).toEqual([
      '/etc/ingot/ingot.yaml:3:10: netboot.range: expected the first and the last address, like 192.0.2.100-192.0.2.200, got nothing',
    ])
    const none = 'expected nothing beside mode: proxy, where another server gives addresses, got'
    expect(problemsOf(file('mode: proxy, leaseSeconds: 600, machines: [{ mac: 52-54-00-12-34-56, address: 10.77.0.9 }]'))).toEqual([
      `/etc/ingot/ingot.yaml:3:56: netboot.leaseSeconds: ${none} 600`,
      `/etc/ingot/ingot.yaml:3:107: netboot.machines[0].address: ${none} 10.77.0.9`,
    ])
    expect(read(file('mode: proxy')).netboot).toMatchObject({ dhcp: undefined, allowOtherServers: false })
  })

  test('machines, architectures and networks behind relays', () => {
    const file = (netboot: string) => `data: d\nlisten: 0.0.0.0:80\nnetboot:\n  interface: eno2\n  range: 10.77.0.100-10.77.0.200\n${netboot}`
    const machines = (...entries: string[]) => `  machines: [${entries.join(', ')}]\n`
    expect(problemsOf(file(machines('{ mac: 52-54-00-12-34-56, address: 10.77.0.9 }', '{ mac: "52:54:00:12:34:56" }', '{ mac: 52-54-00-12-34-57, address: 10.77.0.9 }')))).toEqual([
      '/etc/ingot/ingot.yaml:6:69: netboot.machines[1].mac: expected a MAC address that no other entry has, got 52:54:00:12:34:56',
      '/etc/ingot/ingot.yaml:6:127: netboot.machines[2].address: expected an address that no other entry has, got 10.77.0.9',
    ])
    expect(problemsOf(file(machines('{ mac: 5254.0012.3456, boot: disk, file: pxelinux.0 }')))).toEqual([
      '/etc/ingot/ingot.yaml:6:21: netboot.machines[0].mac: expected a MAC address like 52-54-00-12-34-56, got "5254.0012.3456"',
      '/etc/ingot/ingot.yaml:6:43: netboot.machines[0].boot: expected one of worker, local-disk, ignore, got "disk"',
      expect.stringContaining('netboot.machines[0].file: expected one of undionly.kpxe, snponly.efi') as string,
    ])
    expect(problemsOf(file('  relayed: [{ network: 10.78.0.0/24, range: 10.78.0.9-10.79.0.1, router: 10.77.0.1 }, { network: 10.79.0.0/64, range: 10.79.0.1-10.79.0.2 }]\n'))).toEqual([
      '/etc/ingot/ingot.yaml:6:45: netboot.relayed[0].range: expected addresses of 10.78.0.0/24, got 10.79.0.1',
      '/etc/ingot/ingot.yaml:6:74: netboot.relayed[0].router: expected an address of 10.78.0.0/24, got 10.77.0.1',
      '/etc/ingot/ingot.yaml:6:98: netboot.relayed[1].network: expected an IPv4 network like 192.0.2.0/24, got 10.79.0.0/64',
    ])
    const all = read(file(`${machines('{ mac: "52:54:00:AB:CD:EF", address: 10.77.0.9, boot: local-disk, withoutJob: local-disk }')}  architectures: [{ code: 7, file: snponly.efi, proxyReply: direct }]\n  relayed: [{ network: 10.78.0.0/24, range: 10.78.0.9-10.78.0.10, router: 10.78.0.1 }]\n`)).netboot
    expect(all?.policies).toEqual([
      { machine: '52-54-00-ab-cd-ef', boot: 'local-disk', withoutJob: 'local-disk' },
      { architecture: 7, file: 'snponly.efi', proxyReply: 'direct' },
    ])
    expect(all?.dhcp).toMatchObject({
      reservations: new Map([['52-54-00-ab-cd-ef', '10.77.0.9']]),
      relayed: [{ address: '10.78.0.0', prefixLength: 24, range: { first: '10.78.0.9', last: '10.78.0.10' }, router: '10.78.0.1' }],
    })
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
