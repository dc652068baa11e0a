import { stat } from 'node:fs/promises'
import pMap from 'p-map'
import { endedJobSchema, type EndedJob } from '../../api/history.ts'
import { removeFile, replaceFile } from '../../durable-file.ts'
import { ifThere, readDataFile, renderDataFile } from './data-file.ts'
import type { JobPaths } from './job-paths.ts'

/** The jobs that have left the list: `performed/<version>.json` and `removed/<job>.json`. */
export interface EndedJobs {
  write(ended: EndedJob): Promise<void>
  /** The last job of that id. */
  last(id: string): Promise<EndedJob | undefined>
  /** All that was performed, oldest first. */
  performed(): Promise<EndedJob[]>
  isPerformed(version: string): Promise<boolean>
}

export function createEndedJobs(paths: JobPaths): EndedJobs {
  return {
    async write(ended) {
      const { job, end, status } = ended
      if (end === 'removed' || status === undefined) return replaceFile(paths.of('removed', job.id), renderDataFile(ended))
      await replaceFile(paths.of('performed', status.imageVersion), renderDataFile(ended))
      // What is there of a removed job is there because it was the last of its id.
      await removeFile(paths.of('removed', job.id))
    },
    async last(id) {
      const removed = await readDataFile(endedJobSchema, paths.of('removed', id))
      if (removed !== undefined) return removed
      let last: EndedJob | undefined
      for (let run = 1; ; run++) {
        const found = await readDataFile(endedJobSchema, paths.of('performed', run === 1 ? id : `${id}_${run}`))
        if (found === undefined) return last
        if (found.job.id === id) last = found
      }
    },
    async performed() {
      const ended = await pMap(await paths.namesIn('performed'), (version) => readDataFile(endedJobSchema, paths.of('performed', version)), { concurrency: 16 })
      return ended.filter((each) => each !== undefined).toSorted((one, other) => one.endedAt.localeCompare(other.endedAt))
    },
    isPerformed: async (version) => (await stat(paths.of('performed', version), ifThere)) !== undefined,
  }
}
