import { join } from 'node:path'
import type { Logger } from 'pino'
import prettyBytes from 'pretty-bytes'
import { buildAppliance } from '../../appliance/os/build-appliance.ts'
import { loadAppliance } from '../../appliance/os/load-appliance.ts'
import type { Run } from '../../appliance/run.ts'
import { defaultMirrors } from '../config.ts'

export interface PrepareApplianceOptions {
  directory: string
  /** The newest one that was built must do. */
  offline: boolean
  run: Run
  log: Logger
  onProgress: (line: string) => void
  signal: AbortSignal
}

/** Has the appliance built, or finds that it is up to date, and says so in one line for people: `reused, 42.1 MB to claim a job`. */
export async function prepareAppliance({ directory, offline, run, log, onProgress, signal }: PrepareApplianceOptions): Promise<string> {
  const progress = ({ step, detail }: { step: string; detail?: string }): void => onProgress([step, detail].filter(Boolean).join(': '))
  const { debian: mirror, 'debian-security': securityMirror } = defaultMirrors
  const appliance = offline ? await loadAppliance(directory) : await buildAppliance({ directory, mirror, securityMirror, run, log, progress, signal })
  const { kernel, initramfs, stage2 } = appliance.manifest.outputs
  const sizeBytes = kernel.sizeBytes + initramfs.sizeBytes + stage2.sizeBytes
  return `${appliance.reused ? 'reused' : 'built'}, ${prettyBytes(sizeBytes)} to claim a job, in ${join(directory, 'current')}`
}
