import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { ComponentRef } from '../../images/component.ts'
import type { StepContext } from './context.ts'
import { unmountAll } from './unmount-all.ts'

/** Lends a squashfs of the first computer, mounted read-only, to `use`; it is gone afterwards, from memory too. */
export async function withSquashfs<Result>(
  component: ComponentRef,
  { server, run, signal, progress }: StepContext,
  use: (mountPoint: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-squashfs-'))
  const file = join(folder, 'image')
  const mountPoint = join(folder, 'root')
  try {
    progress({ detail: `fetching ${component.name}`, totalBytes: component.sizeBytes })
    await pipeline(await server.component(component, signal), createWriteStream(file))
    await mkdir(mountPoint)
    await run('mount', ['-t', 'squashfs', '-o', 'loop,ro', file, mountPoint])
    try {
      return await use(mountPoint)
    } finally {
      await unmountAll([mountPoint], run)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
