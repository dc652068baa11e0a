import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { debianSources, publicMirror } from '../../images/debian-archive.ts'
import { aptInstall } from './apt-install.ts'
import type { StepContext, StepExecutor } from './context.ts'
import { writeFstab } from './install-rootfs.ts'
import { unmountAll } from './unmount-all.ts'
import { withSquashfs } from './with-squashfs.ts'

/**
 * Makes the base system on the worker itself: debootstrap for what is essential, then apt in the new system for the rest, with updates and security
 * updates. Slow, because the kernel's initrd is made here too: prefer a root filesystem made on the first computer.
 */
export const installDebootstrap: StepExecutor<'install-debootstrap'> = async ({ suite, packages, tools }, context) => {
  const { root } = context
  await withSquashfs(tools, context, (system) => debootstrap(system, suite, context))
  await writeFile(join(root, 'etc/apt/sources.list'), `${debianSources(suite, publicMirror).join('\n')}\n`)
  await writeFstab(context)
  await aptInstall(packages, context, { upgrade: true })
}

/** debootstrap needs perl and wget, so it runs in the small Debian at `system`, with the new system mounted inside it. */
async function debootstrap(system: string, suite: string, { root, packagesUrl, run, signal, progress }: StepContext): Promise<void> {
  const mounts = [
    ['-o', 'bind', '/dev', join(system, 'dev')],
    // mknod sets permissions by way of /proc.
    ['-t', 'proc', 'proc', join(system, 'proc')],
    ['-o', 'bind', root, join(system, 'mnt')],
  ] as const
  const mounted: string[] = []
  try {
    for (const mount of mounts) {
      await run('mount', mount)
      mounted.push(mount[3])
    }
    await run('chroot', [system, '/usr/bin/env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'debootstrap', '--variant=minbase', suite, '/mnt', `${packagesUrl}/debian`], {
      timeoutMs: 3_600_000,
      signal,
      onLine: (line) => progress({ detail: line.replace(/^[IWE]: /, '').slice(0, 500) }),
    })
  } finally {
    await unmountAll(mounted, run)
  }
}
