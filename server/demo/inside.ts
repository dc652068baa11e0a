import { run, start } from '../../appliance/run.ts'
import { accelerator } from '../rack/accelerator.ts'
import { insideNamespace } from '../rack/inside-namespace.ts'
import { MachineFailure } from '../rack/machine-failure.ts'
import { openDisplay } from './display.ts'
import { createEventFeed } from './event-feed.ts'
import type { DemoOptions, DemoPaths } from './options.ts'
import { performDemo } from './perform-demo.ts'

/** The part of `ingot demo` that runs in the rack's namespaces; its only argument is what `runDemo` passes. */
const { options, paths } = JSON.parse(process.argv[2] ?? '{}') as { options: DemoOptions; paths: DemoPaths }

await insideNamespace(run, async (signal) => {
  const display = openDisplay({ output: process.stdout, json: options.json, colours: options.colours })
  const { emit } = display
  try {
    const found = await accelerator(run)
    await performDemo({ options, paths, feed: createEventFeed(), emit, accelerator: found, run, start, signal })
    return 0
  } catch (error) {
    if (signal.aborted) return 130
    const message = error instanceof Error ? error.message : String(error)
    if (error instanceof MachineFailure) emit({ kind: 'failed', message, consoleTail: error.consoleTail, consolePath: error.consolePath, log: paths.log })
    else emit({ kind: 'failed', message, consoleTail: [], log: paths.log })
    return 1
  } finally {
    display.close()
  }
})
