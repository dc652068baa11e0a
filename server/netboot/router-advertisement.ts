import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { CommandError, type Start } from '../../appliance/run.ts'

/**
 * radvd's configuration for the least that satisfies iPXE, an advertisement that says "no router, nothing to configure here": no prefix, no flags,
 * router lifetime 0 (RFC 4861, section 6.2.3). Machines get no IPv6 address and no route by it. radvd answers a solicitation at once, so that its
 * unasked-for advertisements may stay as rare as they are by default.
 */
export function renderRadvdConfig(interfaceName: string): string {
  return [`interface ${interfaceName} {`, '  AdvSendAdvert on;', '  AdvDefaultLifetime 0;', '};', ''].join('\n')
}

export interface RouterAdvertisementOptions {
  interfaceName: string
  start: Start
  log: Logger
}

/**
 * Advertises by Debian's `radvd` on the boot interface. iPXE configures IPv6 beside IPv4 before it boots, and where no router answers its
 * solicitations it goes on only when they have all timed out: 16.1 s from the DHCP ACK to the boot script instead of 0.05 s, for each iPXE on the
 * way (measured under QEMU with Debian 12's iPXE). Boot works without, so a missing or failing radvd is a warning.
 */
export async function startRouterAdvertisement(options: RouterAdvertisementOptions): Promise<{ close(): Promise<void> }> {
  const { interfaceName, start, log } = options
  const directory = await mkdtemp(join(tmpdir(), 'ingot-radvd-'))
  const cleanUp = () => rm(directory, { recursive: true, force: true })
  const config = join(directory, 'radvd.conf')
  await writeFile(config, renderRadvdConfig(interfaceName))
  // Should we be killed, radvd must not go on without us.
  const files = ['--config', config, '--pidfile', join(directory, 'radvd.pid')]
  const args = ['--pdeathsig', 'TERM', 'radvd', '--nodaemon', '--logmethod', 'stderr', ...files]
  let isClosing = false
  try {
    const radvd = await start('setpriv', args)
    const ended = radvd.ended.then(({ exitCode, signal, lastLines }) => {
      if (!isClosing) log.warn({ exitCode, signal, lastLines }, withoutAdvertisements)
      return cleanUp()
    })
    return {
      async close() {
        isClosing = true
        radvd.kill('SIGTERM')
        await ended
      },
    }
  } catch (error) {
    await cleanUp()
    if (!(error instanceof CommandError)) throw error
    log.warn({ reason: error.message }, withoutAdvertisements)
    return { close: async () => undefined }
  }
}

const withoutAdvertisements =
  'no IPv6 router advertisements: machines that boot by iPXE wait 16 seconds for one; "apt install radvd" if it is missing'
