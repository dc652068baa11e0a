import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Start } from '../../appliance/run.ts'
import { runInNamespace } from '../rack/namespace.ts'
import { openDisplay } from './display.ts'
import { holdDirectory } from './hold-directory.ts'
import type { DemoOptions, DemoPaths } from './options.ts'

/** What is there before the rack is: the appliance, built or found to be up to date, in one sentence for people. */
export type PrepareAppliance = (directory: string, onProgress: (line: string) => void) => Promise<string>

export interface RunDemoOptions {
  options: DemoOptions
  paths: DemoPaths
  prepareAppliance: PrepareAppliance
  start: Start
  output: NodeJS.WriteStream
  signal: AbortSignal
}

/**
 * `ingot demo`: prepares what the host has to prepare, then runs the main job in namespaces of its own. Gives the exit code: 0 only if every
 * part happened, 1 when one failed, 130 when stopped.
 * Throws `IngotError` when another demo runs in the same place or the appliance cannot be built.
 */
export async function runDemo({ options, paths, prepareAppliance, start, output, signal }: RunDemoOptions): Promise<number> {
  const letGo = await holdDirectory(paths.run)
  try {
    await prepare({ options, paths, prepareAppliance, output })
    if (signal.aborted) return 130
    const entry = join(import.meta.dirname, 'inside.ts')
    return await runInNamespace({ entry, args: [JSON.stringify({ options, paths })], outside: !options.offline, signal, start })
  } finally {
    letGo()
  }
}

async function prepare({ options, paths, prepareAppliance, output }: Omit<RunDemoOptions, 'start' | 'signal'>): Promise<void> {
  const display = openDisplay({ output, json: options.json, colours: options.colours })
  try {
    await rm(paths.run, { recursive: true, force: true })
    await mkdir(paths.run, { recursive: true })
    display.emit({ kind: 'phase', phase: 'prepare', title: 'Preparing' })
    display.emit({ kind: 'task', task: 'appliance', state: 'begun', detail: '' })
    const onProgress = (detail: string): void => display.emit({ kind: 'task', task: 'appliance', state: 'running', detail })
    display.emit({ kind: 'task', task: 'appliance', state: 'done', detail: await prepareAppliance(paths.appliance, onProgress) })
  } finally {
    display.close()
  }
}
