import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

export type JobFolder = 'status' | 'history' | 'plans' | 'performed' | 'removed'

/** Where what is kept of a job stands in the data directory. */
export interface JobPaths {
  /** For example `of('status', 'web-1')`: `<data directory>/status/web-1.json`. */
  of(folder: JobFolder, name: string): string
  log(name: string): string
  /** The names in a folder; none when there is no such folder. */
  namesIn(folder: JobFolder): Promise<string[]>
}

export function createJobPaths(dataDirectory: string): JobPaths {
  return {
    of: (folder, name) => join(dataDirectory, folder, `${name}.json`),
    log: (name) => join(dataDirectory, 'logs', `${name}.log`),
    async namesIn(folder) {
      const files = await readdir(join(dataDirectory, folder)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return []
        throw error
      })
      return files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length))
    },
  }
}
