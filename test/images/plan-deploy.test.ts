import { expect, test } from 'vitest'
import { deploySchema, type Deploy } from '../../images/deploy.ts'
import { renderFault } from '../../images/fault.ts'
import { findFaults } from '../../images/parse-document.ts'
import { planDeploy, type DeployableImage } from '../../images/plan-deploy.ts'

const gib = 1024 ** 3
const tools = { name: 'tools', digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 1 }
const image: DeployableImage = {
  name: 'web',
  version: 'web-1',
  digest: `sha256:${'1'.repeat(64)}`,
  config: {
    recipe: { name: 'web', digest: 'sha256:2' },
    architecture: 'amd64',
    firmware: ['uefi'],
    diskSizeBytes: 4 * gib,
    sectorBytes: 512,
    partitions: [{ mountPoint: '/boot/efi' }, { mountPoint: '/' }],
  },
}
const key = `ssh-ed25519 ${'A'.repeat(68)} ops@example`

test('a deployment becomes: write this very version, grow it, make it a system of its own', () => {
  const deploy: Deploy = { image: 'web', hostname: 'web-1', sshKeys: [key], disk: { minSize: '8GiB', serial: 'S1' } }
  expect(planDeploy(deploy, image, tools)).toEqual({
    version: 1,
    recipe: { name: 'web', digest: 'sha256:2' },
    architecture: 'amd64',
    firmware: ['uefi'],
    tools,
    steps: [
      { kind: 'write-image', image: 'web', version: 'web-1', digest: image.digest, disk: { minSizeBytes: 8 * gib, serial: 'S1' }, sectorBytes: 512 },
      { kind: 'grow-disk' },
      { kind: 'personalise', identity: { hostname: 'web-1', sshKeys: [key] } },
    ],
    proof: 'none',
  })
})

test('F1 without a rule a disk must hold the image, and a rule asks for no less', () => {
  const ruleOf = (deploy: Deploy) => planDeploy(deploy, image, tools).steps.flatMap((step) => (step.kind === 'write-image' ? [step.disk] : []))
  expect(ruleOf({ image: 'web' })).toEqual([{ minSizeBytes: 4 * gib }])
  expect(ruleOf({ image: 'web', disk: { minSize: '1GiB', maxSize: '2GiB' } })).toEqual([{ minSizeBytes: 4 * gib, maxSizeBytes: 2 * gib }])
})

test('an image of which it is not known where its root is stays as it is', () => {
  const rootless = { ...image, config: { ...image.config, partitions: [{}] } }
  expect(planDeploy({ image: 'web' }, rootless, tools).steps.map(({ kind }) => kind)).toEqual(['write-image', 'grow-disk'])
})

test.each<[deploy: object, problem: string]>([
  [{}, 'image: expected the name of an image, like debian-12, got nothing'],
  [{ image: 'Web' }, 'image: expected the name of an image, like debian-12, got "Web"'],
  [{ image: 'web', version: 'a b' }, 'version: expected a version of the image, or its digest, got "a b"'],
  [{ image: 'web', hostname: 'web_1' }, 'hostname: expected a host name, like web-1 or web-1.example, got "web_1"'],
  [{ image: 'web', hostnam: 'web' }, 'hostnam: expected a known key (nearest: hostname; all: image, version, disk, hostname, users, sshKeys, network), got hostnam'],
  [{ image: 'web', sshKeys: ['command="x" ssh-ed25519 AAAA'] }, 'sshKeys[0]: expected a public SSH key on one line, like "ssh-ed25519 AAAA… name", got "command=\\"x\\" ssh-ed25519 AAAA"'],
  [{ image: 'web', sshKeys: [`${key}\nssh-rsa B`] }, `sshKeys[0]: expected a public SSH key on one line, like "ssh-ed25519 AAAA… name", got ${JSON.stringify(`${key}\nssh-rsa B`)}`],
  [{ image: 'web', users: [{ name: '../x' }] }, 'users[0].name: expected the name of a user: up to 31 lower-case letters, digits, dashes and underscores, got "../x"'],
  [{ image: 'web', network: { addresses: ['192.0.2.300/24'] } }, 'network.addresses[0]: expected an address with its prefix, like 192.0.2.10/24, got "192.0.2.300/24"'],
  [{ image: 'web', network: { addresses: 'static' } }, 'network.addresses: expected dhcp, or a list of addresses like 192.0.2.10/24, got "static"'],
  [{ image: 'web', network: { addresses: 'dhcp', gateway: 'here' } }, 'network.gateway: expected an IP address, like 192.0.2.1, got "here"'],
  [{ image: 'web', disk: { minSize: '8G' } }, 'disk.minSize: expected a whole number of MiB or GiB, like 512MiB, got "8G"'],
])('%j is refused with the field that is wrong', (deploy, problem) => {
  expect(findFaults(deploySchema, deploy).map(renderFault)).toEqual([problem])
})

test('what is right is taken', () => {
  const full = {
    ...{ image: 'web', version: image.digest, hostname: 'web-1.example.org', sshKeys: [key, `ecdsa-sha2-nistp256 ${'B'.repeat(140)}=`, `sk-ssh-ed25519@openssh.com ${'C'.repeat(90)}== a b`] },
    users: [{ name: 'ops', groups: ['adm'], sudo: true, sshKeys: [] }],
    network: { mac: '52:54:00:12:34:56', addresses: ['192.0.2.10/24', '2001:db8::10/64'], gateway: '192.0.2.1', nameServers: ['2001:db8::1'], searchDomains: ['example.org'] },
    disk: { transport: 'nvme' },
  }
  expect(findFaults(deploySchema, full)).toEqual([])
})
