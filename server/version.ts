import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The version of Ingot that runs, for example `0.1.0`. */
export const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as { version: string }
