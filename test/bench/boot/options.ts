import { join } from 'node:path'
import type { Firmware } from '../../../server/rack/machine-spec.ts'
import type { Installer } from './debian-installer.ts'

/** What `bench boot` was asked for. */
export interface BootOptions {
  firmware: Firmware
  /** Boots of each side, which take turns. */
  rounds: number
  /** One line of JSON in place of the table. */
  json: boolean
}

/** Where the benchmark finds and keeps things. */
export interface BootPaths {
  /** The built appliance that first computers of this checkout use. */
  appliance: string
  /** An archive of packages, and what was unpacked of them; outlasts a run. */
  cache: string
  /** Data, consoles and logs of the last run. */
  run: string
}

/** What `inside.ts` gets as its argument. */
export interface BootTask {
  options: BootOptions
  paths: BootPaths
  installer: Installer
}

export const bootPaths = (cacheDirectory: string): BootPaths => ({
  appliance: join(cacheDirectory, 'appliance'),
  cache: join(cacheDirectory, 'bench'),
  run: join(cacheDirectory, 'bench', 'boot'),
})
