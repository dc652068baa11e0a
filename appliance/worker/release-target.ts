import type { Logger } from 'pino'
import { unmountTree } from '../capture/unmount-tree.ts'
import { endPrograms, type ProgramsToEnd } from '../end-programs.ts'
import { run } from '../run.ts'

/** Where the installed system is mounted while a job runs. */
export const targetDirectory = '/target'

/** Takes down what a job left, so that nothing writes to its disk any more and the next job finds the machine as the first did. */
export async function releaseTarget({ claimId, directory, log }: Required<ProgramsToEnd> & { log: Logger }): Promise<void> {
  try {
    await endPrograms({ claimId, directory })
    await unmountTree(directory, { devices: [], run })
  } catch (error) {
    log.error({ reason: (error as Error).message }, 'what the job left cannot be taken down')
  }
}
