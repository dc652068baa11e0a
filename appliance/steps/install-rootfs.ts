import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StepContext, StepExecutor } from './context.ts'
import { renderFstab } from './render-fstab.ts'

/** Streams a root filesystem from the first computer into the mounted partitions, never storing the archive itself. */
export const installRootfs: StepExecutor<'install-rootfs'> = async ({ component }, context) => {
  const { root, run, server, signal } = context
  const detail = `unpacking ${component.name}`
  context.progress({ doneBytes: 0, totalBytes: component.sizeBytes, detail })
  const bytes = await server.component(component, signal)
  const input = counted(bytes, (doneBytes) => context.progress({ doneBytes, totalBytes: component.sizeBytes, detail }))
  // Capabilities of programs such as ping are extended attributes, which tar restores only when asked for by name.
  const attributes = ['--xattrs', '--xattrs-include=*', '--acls']
  // As much at a time as a pipe holds, 64 KiB: with tar's own 10 KiB it and zstd take turns so often that an emulated machine takes half as long again (measured).
  const blocking = '--blocking-factor=128'
  await run('tar', ['--extract', '--zstd', blocking, '--file=-', `--directory=${root}`, '--numeric-owner', '--same-owner', '--same-permissions', ...attributes], {
    input,
    signal,
    timeoutMs: 3_600_000,
  })
  await writeFstab(context)
}

async function* counted(bytes: AsyncIterable<Uint8Array>, onDone: (doneBytes: number) => void): AsyncGenerator<Uint8Array> {
  let doneBytes = 0
  for await (const chunk of bytes) {
    yield chunk
    onDone((doneBytes += chunk.byteLength))
  }
}

/** Tells a freshly installed base system its filesystems. */
export async function writeFstab({ root, disk }: StepContext): Promise<void> {
  if (disk === undefined) throw new Error('expected a partition step before the base system, got none')
  await writeFile(join(root, 'etc/fstab'), renderFstab(disk.partitions))
}
