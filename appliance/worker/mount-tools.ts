import { createWriteStream } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseMountInfo } from '../capture/unmount-tree.ts'
import type { StepContext } from '../steps/context.ts'

/** Where the programs that only a job needs are mounted; the appliance's PATH leads there. */
export const toolsDirectory = '/tools'

/**
 * The programs that only a job needs come with the job (B20): a squashfs, fetched and mounted once, and replaced when the next job brings
 * another. The file `tools.digest` in the state directory tells which it is, to a worker that was started anew too.
 */
export async function mountTools(context: StepContext, { stateDirectory, directory }: { stateDirectory: string; directory: string }): Promise<void> {
  const { plan, server, run, progress, signal } = context
  const image = join(stateDirectory, 'tools.squashfs')
  const digestFile = join(stateDirectory, 'tools.digest')
  if (await isMountPoint(directory)) {
    const mounted = await readFile(digestFile, 'utf8').catch(() => '')
    if (mounted === plan.tools.digest) return
    await run('umount', [directory])
  }
  progress({ totalBytes: plan.tools.sizeBytes, detail: 'fetching the tools' })
  await mkdir(stateDirectory, { recursive: true })
  // Memory holds one of them at a time.
  await rm(image, { force: true })
  await pipeline(await server.component(plan.tools, signal), createWriteStream(image), { signal })
  await writeFile(digestFile, plan.tools.digest)
  await mkdir(directory, { recursive: true })
  await run('mount', ['-t', 'squashfs', '-o', 'loop,ro', image, directory])
}

const isMountPoint = async (path: string): Promise<boolean> =>
  parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8')).some(({ mountPoint }) => mountPoint === path)
