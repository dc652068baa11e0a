import { describe, expect, test } from 'vitest'
import { renderCloudInit } from '../../../appliance/personalise/render-cloud-init.ts'
import { renderHosts } from '../../../appliance/personalise/render-hosts.ts'
import { renderInterfaces, renderNetplan, renderNetworkd, renderResolvConf, type OwnNetwork } from '../../../appliance/personalise/render-network.ts'

const mac = '52:54:00:12:34:56'
const fixed: OwnNetwork = { mac, addresses: ['192.0.2.10/24', '2001:db8::10/64'], gateway: '192.0.2.1', nameServers: ['192.0.2.1', '192.0.2.2'], searchDomains: ['example.org'] }
const dhcp: OwnNetwork = { mac, addresses: 'dhcp' }

describe('/etc/hosts', () => {
  test('gets the name after the line of the loopback, once', () => {
    const named = renderHosts('127.0.0.1 localhost\n::1 localhost\n', 'web-1.example.org')
    expect(named).toBe('127.0.0.1 localhost\n127.0.1.1 web-1.example.org web-1\n::1 localhost\n')
    expect(renderHosts(named, 'web-2')).toBe('127.0.0.1 localhost\n127.0.1.1 web-2\n::1 localhost\n')
  })
  test('is made when there is none', () => expect(renderHosts('', 'web-1')).toBe('127.0.1.1 web-1\n'))
})

describe('the network', () => {
  test('of systemd-networkd', () => {
    expect(renderNetworkd(fixed)).toBe(
      '[Match]\nMACAddress=52:54:00:12:34:56\n\n[Network]\nAddress=192.0.2.10/24\nAddress=2001:db8::10/64\nGateway=192.0.2.1\nDNS=192.0.2.1\nDNS=192.0.2.2\nDomains=example.org\n',
    )
    expect(renderNetworkd(dhcp)).toBe('[Match]\nMACAddress=52:54:00:12:34:56\n\n[Network]\nDHCP=yes\n')
  })
  test('of ifupdown', () => {
    expect(renderInterfaces(fixed)).toBe(`auto lo
iface lo inet loopback

auto mac/52:54:00:12:34:56=ingot
iface ingot inet static
  address 192.0.2.10/24
  gateway 192.0.2.1
iface ingot inet6 static
  address 2001:db8::10/64
  dns-nameservers 192.0.2.1 192.0.2.2
  dns-search example.org
`)
    expect(renderInterfaces(dhcp)).toContain('iface ingot inet dhcp\n')
  })
  test('of netplan', () => {
    expect(JSON.parse(renderNetplan(fixed))).toEqual({
      network: {
        version: 2,
        ethernets: {
          '00-ingot': {
            match: { macaddress: mac },
            addresses: ['192.0.2.10/24', '2001:db8::10/64'],
            routes: [{ to: '0.0.0.0/0', via: '192.0.2.1' }],
            nameservers: { addresses: ['192.0.2.1', '192.0.2.2'], search: ['example.org'] },
          },
        },
      },
    })
  })
  test('of resolv.conf', () => expect(renderResolvConf(fixed)).toBe('nameserver 192.0.2.1\nnameserver 192.0.2.2\nsearch example.org\n'))
})

describe('cloud-init', () => {
  const seed = (identity: Parameters<typeof renderCloudInit>[0]['identity'], network?: OwnNetwork) => {
    const files = renderCloudInit({ identity, network, instanceId: 'web-1-52-54-00-12-34-56' })
    expect(files['user-data']).toMatch(/^#cloud-config\n/)
    return {
      names: Object.keys(files),
      metaData: JSON.parse(files['meta-data']!) as unknown,
      userData: JSON.parse(files['user-data']!.replace(/^#.*/, '')) as unknown,
      network: files['network-config'] === undefined ? undefined : (JSON.parse(files['network-config']) as unknown),
    }
  }
  test('is told who the machine is, who may log in and where it is', () => {
    expect(seed({ hostname: 'web-1.example.org', users: [{ name: 'ops', sudo: true, groups: ['adm'], sshKeys: ['own'] }, { name: 'dev' }], sshKeys: ['common'] }, fixed)).toMatchObject({
      metaData: { 'instance-id': 'web-1-52-54-00-12-34-56', 'local-hostname': 'web-1.example.org' },
      userData: {
        hostname: 'web-1',
        fqdn: 'web-1.example.org',
        users: [
          { name: 'ops', sudo: 'ALL=(ALL:ALL) NOPASSWD:ALL', groups: ['adm'], ssh_authorized_keys: ['common', 'own'] },
          { name: 'dev', ssh_authorized_keys: ['common'] },
        ],
      },
      network: { version: 2, ethernets: { net0: { match: { macaddress: mac }, 'set-name': 'net0', addresses: fixed.addresses } } },
    })
  })
  test('lets root in where keys come without users', () => {
    expect(seed({ sshKeys: ['k'] }).userData).toEqual({ disable_root: false, users: [{ name: 'root', ssh_authorized_keys: ['k'] }] })
  })
  test('is left to itself in all that was not asked for', () => {
    expect(seed({})).toEqual({ names: ['meta-data', 'user-data'], metaData: { 'instance-id': 'web-1-52-54-00-12-34-56' }, userData: {}, network: undefined })
  })
})
