import { join } from 'node:path'
import type { DiskBus, Firmware, NicModel } from '../rack/machine-spec.ts'

/** What `ingot demo` was asked for. */
export interface DemoOptions {
  /** Firmware of the machines that build; the image is proven with every firmware of its recipe. */
  firmware: Firmware
  nic: NicModel
  disk: DiskBus
  memoryMiB: number
  machines: number
  recipe: string
  /** Further folders of recipes, beside those that ship with Ingot; absolute paths. */
  recipes: readonly string[]
  /** The UEFI machines that prove the image have Secure Boot on. */
  secureBoot: boolean
  /** No way out for the first computer: everything comes from its caches (F10). */
  offline: boolean
  json: boolean
  /** Keep the disks of the machines. */
  keep: boolean
  colours: boolean
}

/** Where the demo keeps what it makes: all under one folder. */
export interface DemoPaths {
  /** The built appliance, which other first computers of this checkout use too. */
  appliance: string
  /** Data directory of the first computer; its caches and images outlast a run. */
  data: string
  /** Disks, consoles and logs of the last run. */
  run: string
  config: string
  log: string
}

export function demoPaths(cacheDirectory: string): DemoPaths {
  const base = join(cacheDirectory, 'demo')
  const run = join(base, 'run')
  return { appliance: join(cacheDirectory, 'appliance'), data: join(base, 'data'), run, config: join(base, 'ingot.yaml'), log: join(run, 'first-computer.log') }
}
