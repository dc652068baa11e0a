import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { Deploy } from '../../../images/deploy.ts'
import { renderFault } from '../../../images/fault.ts'
import type { Network } from '../../../images/identity.ts'
import { deploySchema } from '../../../images/deploy.ts'
import { findFaults } from '../../../images/parse-document.ts'
import { IngotError } from '../../errors.ts'
import { parseKeyValues } from '../key-values.ts'

/** The options that say what a copy of an image is to be. */
export interface DeployOptions {
  hostname?: string
  sshKey?: string[]
  user?: string[]
  sudo?: true
  groups?: string[]
  network?: string[]
  interface?: string
  gateway?: string
  nameServers?: string[]
  searchDomains?: string[]
  disk?: string[]
}

export const withDeploy = (command: Command): Command =>
  command
    .option('--hostname <name>', 'with or without its domain')
    .option('--ssh-key <file...>', 'file of public SSH keys, which may log in as each --user, or as root when there is none')
    .option('--user <name...>', 'a user who shall be there')
    .option('--sudo', 'each --user may become root by sudo, without a password')
    .option('--groups <group...>', 'further groups of each --user')
    .option('--network <address...>', 'dhcp, or addresses like 192.0.2.10/24 (default: what the image has)')
    .option('--interface <mac>', 'MAC address of the interface that --network is for (default: the one that the machine booted from)')
    .option('--gateway <address>', 'with --network')
    .option('--name-servers <address...>', 'with --network')
    .option('--search-domains <domain...>', 'with --network')
    .option('--disk <key=value...>', 'the disk that is written: serial, wwn, model, transport, minSize, maxSize (default: the only one that is large enough)')

/** Which image is meant by `web`, `web:web-1` or `web@sha256:…`, and what its copy is to be. Throws `IngotError` 'argument-invalid' with all that is wrong. */
export async function deployFrom(image: string, options: DeployOptions): Promise<Deploy> {
  const { hostname, sshKey = [], disk } = options
  const [, name = image, version] = /^([^:@]*)(?:[:@](.*))?$/.exec(image) ?? []
  const sshKeys = (await Promise.all(sshKey.map(readKeys))).flat()
  const users = usersFrom(options)
  const network = networkFrom(options)
  const deploy = {
    image: name,
    ...(version === undefined ? {} : { version }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(users === undefined ? {} : { users }),
    ...(sshKeys.length === 0 ? {} : { sshKeys }),
    ...(network === undefined ? {} : { network }),
    ...(disk === undefined ? {} : { disk: Object.fromEntries(parseKeyValues(disk)) }),
  }
  const faults = findFaults(deploySchema, deploy)
  if (faults.length > 0) throw new IngotError('argument-invalid', 'what is to be deployed is not as expected', { problems: faults.map(renderFault) })
  return deploy as Deploy
}

function usersFrom({ user, sudo, groups }: DeployOptions): Deploy['users'] {
  if (user !== undefined) return user.map((name) => ({ name, ...(groups === undefined ? {} : { groups }), ...(sudo === undefined ? {} : { sudo }) }))
  if (sudo !== undefined || groups !== undefined) throw new IngotError('argument-invalid', `expected --user beside --${sudo === undefined ? 'groups' : 'sudo'}, got none`)
  return undefined
}

function networkFrom({ network, interface: mac, gateway, nameServers, searchDomains }: DeployOptions): Network | undefined {
  const rest = {
    ...(mac === undefined ? {} : { mac: mac.toLowerCase().replaceAll('-', ':') }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(nameServers === undefined ? {} : { nameServers }),
    ...(searchDomains === undefined ? {} : { searchDomains }),
  }
  if (network !== undefined) return { addresses: network.length === 1 && network[0] === 'dhcp' ? 'dhcp' : network, ...rest }
  if (Object.keys(rest).length > 0) throw new IngotError('argument-invalid', 'expected --network beside what it is to have, got none')
  return undefined
}

async function readKeys(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new IngotError('argument-invalid', `--ssh-key: ${error.message}`, { cause: error })
  })
  if (text.includes('PRIVATE KEY')) throw new IngotError('argument-invalid', `--ssh-key: expected a file of public keys, got the private key ${file}; the public one is beside it, with .pub after its name`)
  const keys = text.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
  if (keys.length === 0) throw new IngotError('argument-invalid', `--ssh-key: expected a file of public keys, got ${file} without any`)
  return keys
}
