import type { Identity, User } from '../../images/identity.ts'
import { shortName } from './render-hosts.ts'
import { planEthernet, type OwnNetwork } from './render-network.ts'

export interface CloudInitSeed {
  identity: Identity
  network: OwnNetwork | undefined
  /** Another one makes cloud-init take the system for a new machine. */
  instanceId: string
}

/**
 * What cloud-init is told as data source NoCloud, by file name (cloud-init, "NoCloud"): who this is, who may log in, and the network. YAML, written as
 * the JSON that it includes.
 */
export function renderCloudInit({ identity, network, instanceId }: CloudInitSeed): Record<string, string> {
  const { hostname } = identity
  const metaData = { 'instance-id': instanceId, ...(hostname === undefined ? {} : { 'local-hostname': hostname }) }
  const userData = {
    ...(hostname === undefined ? {} : { hostname: shortName(hostname), fqdn: hostname, manage_etc_hosts: 'localhost', preserve_hostname: false }),
    ...planUsers(identity),
  }
  return {
    'meta-data': render(metaData),
    'user-data': `#cloud-config\n${render(userData)}`,
    ...(network === undefined ? {} : { 'network-config': render({ version: 2, ethernets: { [interfaceName]: planEthernet(network, interfaceName) } }) }),
  }
}

/** On ifupdown cloud-init knows interfaces by name only, and the files of an image are for names like `en*` and `eth*`: this one is none of those. */
const interfaceName = 'net0'

function planUsers({ users = [], sshKeys = [] }: Identity): object {
  if (users.length > 0) return { users: users.map((user) => planUser(user, sshKeys)) }
  return sshKeys.length === 0 ? {} : { disable_root: false, users: [{ name: 'root', ssh_authorized_keys: sshKeys }] }
}

const planUser = ({ name, groups = [], sudo = false, sshKeys = [] }: User, common: readonly string[]): object => ({
  name,
  shell: '/bin/bash',
  lock_passwd: true,
  ...(groups.length === 0 ? {} : { groups }),
  ...(sudo ? { sudo: 'ALL=(ALL:ALL) NOPASSWD:ALL' } : {}),
  ssh_authorized_keys: [...common, ...sshKeys],
})

/** No other source is looked for, which would take minutes and could be anybody's. */
export const cloudInitSources = 'datasource_list: [NoCloud, None]\n'

const render = (value: object): string => `${JSON.stringify(value, null, 2)}\n`
