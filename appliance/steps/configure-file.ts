import { createWriteStream } from 'node:fs'
import { chmod, mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { StepExecutor } from './context.ts'
import { resolveInRoot } from './resolve-in-root.ts'

/** Places a file of the recipe in the installed system, owned by root, with the folders that it needs. */
export const configureFile: StepExecutor<'configure-file'> = async ({ component, path, mode }, context) => {
  context.progress({ detail: `placing ${path}` })
  const folder = await resolveInRoot(context.root, dirname(path))
  await mkdir(folder, { recursive: true })
  const file = `${folder}/${path.slice(path.lastIndexOf('/') + 1)}`
  // A symbolic link there, such as /etc/resolv.conf, is replaced and not written through.
  await rm(file, { force: true })
  await pipeline(await context.server.component(component, context.signal), createWriteStream(file, { flags: 'wx', mode: 0o600 }))
  await chmod(file, parseInt(mode, 8))
}
