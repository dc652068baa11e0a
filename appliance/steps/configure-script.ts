import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { withChroot } from './chroot.ts'
import type { StepExecutor } from './context.ts'

/** Lies in the installed system's `/run`, which exists only as long as the chroot. */
const scriptFile = '/run/ingot-configure'

/** Runs a script of the recipe in the installed system as root; what it prints is logged. */
export const configureScript: StepExecutor<'configure-script'> = async ({ component }, context) => {
  context.progress({ detail: `running ${component.name}` })
  await withChroot(context, async (chroot) => {
    const bytes = await context.server.component(component, context.signal)
    await pipeline(bytes, createWriteStream(join(context.root, scriptFile), { flags: 'wx', mode: 0o700 }))
    await chroot(scriptFile, [], { timeoutMs: 3_600_000, onLine: (line) => context.log.info({ script: component.name, line }, 'script says') })
  })
}
