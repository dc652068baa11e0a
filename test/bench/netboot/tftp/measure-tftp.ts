import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run } from '../../../../appliance/run.ts'
import { atClients, benchNetwork } from '../bench-network.ts'
import { sharedFile, singleFile, type ServedFiles } from '../served-files.ts'

export interface TftpTask {
  /** How many fetch at once. */
  clients: number
  blockBytes: number
  windowBlocks: number
}

/** A single client fetches the file so often, so that the start of programs counts for little. */
const singleRepeats = 3
/** In memory, and gone with the namespaces. */
const fetchedDirectory = '/run/fetched'

/**
 * Fetches by Debian's `atftp`, each client a process of its own, and gives bytes a second of all of them together, from the start of the first to the
 * end of the last. Throws when a client fails or what one has fetched is not what is served.
 */
export async function measureTftp({ clients, blockBytes, windowBlocks }: TftpTask, { files, run }: { files: ServedFiles; run: Run }): Promise<number> {
  const file = clients === 1 ? singleFile : sharedFile
  const numbers = Array.from({ length: clients === 1 ? singleRepeats : clients }, (_, index) => String(index))
  await mkdir(fetchedDirectory, { recursive: true })
  const [program, ...inNamespace] = atClients
  const atftp = ['atftp', '--option', `blksize ${blockBytes}`, '--option', `windowsize ${windowBlocks}`, '--get', '--remote-file', file]
  const args = [...inNamespace, 'xargs', '-P', String(clients), '-I{}', ...atftp, '--local-file', join(fetchedDirectory, '{}'), benchNetwork.address]
  const startedAt = performance.now()
  await run(program, args, { input: numbers.join('\n'), timeoutMs: 120_000 })
  const seconds = (performance.now() - startedAt) / 1000
  const served = await readFile(join(files.rootDirectory, file))
  for (const number of numbers) {
    const fetched = await readFile(join(fetchedDirectory, number))
    if (!fetched.equals(served)) throw new Error(`client ${number} has fetched ${fetched.length} bytes of ${file} that are not the ${served.length} served`)
  }
  await rm(fetchedDirectory, { recursive: true })
  return (served.length * numbers.length) / seconds
}
