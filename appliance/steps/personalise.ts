import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Identity } from '../../images/identity.ts'
import { unmountTree } from '../capture/unmount-tree.ts'
import { giveNetwork } from '../personalise/give-network.ts'
import { giveUsers } from '../personalise/give-users.ts'
import { cloudInitSources, renderCloudInit } from '../personalise/render-cloud-init.ts'
import { renderHosts, shortName } from '../personalise/render-hosts.ts'
import type { OwnNetwork } from '../personalise/render-network.ts'
import { openRootFiles, type RootFiles } from '../personalise/root-files.ts'
import { withChroot } from './chroot.ts'
import { writtenImage, type StepContext, type StepExecutor } from './context.ts'
import { mountTarget } from './mount-target.ts'
import { renewHostKeys } from './renew-host-keys.ts'

/**
 * Makes the system on the disk one of its own: an identity that no other copy has (B24), and the name, users, keys and network of the job. cloud-init is
 * told of them and gives them when the machine boots; in an image without it the files are written. Leaves the disk unmounted, with all of it written.
 */
export const personalise: StepExecutor<'personalise'> = async ({ identity }, context) => {
  const { root, run, signal, log, progress } = context
  const { device, partitions } = writtenImage(context)
  progress({ detail: 'making the system one of its own' })
  await mountTarget({ partitions }, root, run)

  const files = openRootFiles(root)
  await renewIdentity(root, files)
  const hasCloudInit = (await files.has('/usr/bin/cloud-init')) && !(await files.has('/etc/cloud/cloud-init.disabled'))
  log.info({ by: hasCloudInit ? 'cloud-init' : 'files', given: Object.keys(identity) }, 'the system is made one of its own')
  await (hasCloudInit ? tellCloudInit(identity, files, context) : writeIdentity(identity, files, context))

  await unmountTree(root, { devices: partitions.map((partition) => partition.device), run })
  await run('blockdev', ['--flushbufs', device], { signal })
}

/** An image need not have been generalised by us: what must differ between two copies is made or taken away here, whatever is there. */
async function renewIdentity(root: string, files: RootFiles): Promise<void> {
  // Made here and not at the first boot, at which systemd asks the firmware: that of some boards tells them all the same (machine-id(5)).
  await files.write('/etc/machine-id', `${randomUUID().replaceAll('-', '')}\n`, { mode: 0o444 })
  for (const path of ['var/lib/dbus/machine-id', 'var/lib/systemd/random-seed', 'var/lib/systemd/credential.secret']) await rm(join(root, path), { force: true })
  await renewHostKeys(root)
}

/** The network with its interface: the one that this machine was booted from, unless the job names another. */
const ownNetwork = ({ network }: Identity, { inventory }: StepContext): OwnNetwork | undefined =>
  network === undefined ? undefined : { mac: inventory.id.replaceAll('-', ':'), ...network }

async function tellCloudInit(identity: Identity, files: RootFiles, context: StepContext): Promise<void> {
  const instanceId = `${context.job}-${context.inventory.id}`
  const seed = renderCloudInit({ identity, network: ownNetwork(identity, context), instanceId })
  // Only root needs to read who may log in.
  for (const [name, text] of Object.entries(seed)) await files.write(`/var/lib/cloud/seed/nocloud/${name}`, text, { mode: 0o600 })
  await files.write('/etc/cloud/cloud.cfg.d/99-ingot.cfg', cloudInitSources)
}

async function writeIdentity(identity: Identity, files: RootFiles, context: StepContext): Promise<void> {
  const { hostname } = identity
  if (hostname !== undefined) {
    await files.write('/etc/hostname', `${shortName(hostname)}\n`)
    await files.write('/etc/hosts', renderHosts(await files.read('/etc/hosts'), hostname))
  }
  const network = ownNetwork(identity, context)
  if (network !== undefined) await giveNetwork(network, files)
  if (identity.users !== undefined || identity.sshKeys !== undefined) await withChroot(context, (chroot) => giveUsers(identity, files, chroot))
}
