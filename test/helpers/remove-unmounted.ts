import { readFile, rm } from 'node:fs/promises'
import { run } from '../../appliance/run.ts'

/** Removes a folder once nothing is mounted in it any more: what a failed test left there may be this host's own `/dev`. */
export async function removeUnmounted(folder: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').flatMap((line) => line.split(' ')[1] ?? [])
  for (const path of mounts.filter((mount) => mount.startsWith(folder)).reverse()) await run('umount', [path])
  await rm(folder, { recursive: true, force: true })
}
