import type { Run } from '../run.ts'

/** Unmounts what a step mounted, last first, also when the job was called off: its own signal would end the program before it began. */
export async function unmountAll(mounted: readonly string[], run: Run): Promise<void> {
  for (const path of mounted.toReversed()) await run('umount', [path], { signal: new AbortController().signal })
}
