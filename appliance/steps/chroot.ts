import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { endPrograms } from '../end-programs.ts'
import type { Run, RunOptions } from '../run.ts'
import type { StepContext } from './context.ts'
import { unmountAll } from './unmount-all.ts'

/** Runs a program in the installed system, for example `await chroot('update-ca-certificates', [])`. */
export type Chroot = (program: string, args: readonly string[], options?: Omit<RunOptions, 'env' | 'cwd'>) => ReturnType<Run>

/** What a program in the installed system expects of a kernel's filesystems. A `/run` of its own hides our services from package scripts. */
const mounts = [
  ['-o', 'bind', '/dev', 'dev'],
  ['-t', 'proc', 'proc', 'proc'],
  ['-t', 'sysfs', 'sysfs', 'sys'],
  ['-t', 'tmpfs', 'tmpfs', 'run'],
] as const

/** The whole environment of programs in there: ours names folders that only the appliance has. */
const environment = [
  '/usr/bin/env',
  '-i',
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'HOME=/root',
  'LANG=C.UTF-8',
  'DEBIAN_FRONTEND=noninteractive',
]

/** Debian's way to keep services from being started while packages are installed (invoke-rc.d(8), exit status 101). */
const policy = '#!/bin/sh\nexit 101\n'

/**
 * Lends the kernel's filesystems to the installed system while `use` runs programs there; services are not started. However `use` ends, no
 * program goes on in there, and what was mounted is unmounted.
 */
export async function withChroot<Result>({ root, run, signal }: Pick<StepContext, 'root' | 'run' | 'signal'>, use: (chroot: Chroot) => Promise<Result>): Promise<Result> {
  const policyFile = join(root, 'usr/sbin/policy-rc.d')
  const mounted: string[] = []
  try {
    for (const [flag, value, source, name] of mounts) {
      const path = join(root, name)
      await mkdir(path, { recursive: true })
      await run('mount', [flag, value, source, path])
      mounted.push(path)
    }
    await writeFile(policyFile, policy, { mode: 0o755 })
    return await use((program, args, options = {}) => run('chroot', [root, ...environment, program, ...args], { signal, ...options }))
  } finally {
    await rm(policyFile, { force: true })
    // What a package or a script left running would keep the system from being unmounted.
    await endPrograms({ directory: root })
    await unmountAll(mounted, run)
  }
}
