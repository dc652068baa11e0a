import { run, start } from '../../appliance/run.ts'
import { insideNamespace } from '../rack/inside-namespace.ts'
import { MachineFailure } from '../rack/machine-failure.ts'
import { withRack } from '../rack/rack.ts'
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
    emit({ kind: 'task', task: 'virtual rack', state: 'begun', detail: '' })
    await withRack({ run, start }, async (rack) => {
      const speed = rack.accelerator === 'kvm' ? 'machines run on KVM' : 'machines are emulated, KVM runs no guest here: all takes several times as long'
      emit({ kind: 'task', task: 'virtual rack', state: 'done', detail: `${options.offline ? 'no way out' : 'a way out for the first computer only'}; ${speed}` })
      await performDemo({ options, paths, feed: createEventFeed(), emit, accelerator: rack.accelerator, run, start, signal })
    })
    return 0
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (signal.aborted) {
      emit({ kind: 'failed', message: `${message}; all that ran is gone`, consoleTail: [] })
      return 130
    }
    if (error instanceof MachineFailure) emit({ kind: 'failed', message, consoleTail: error.consoleTail, consolePath: error.consolePath, log: paths.log })
    else emit({ kind: 'failed', message, consoleTail: [], log: paths.log })
    return 1
  } finally {
    display.close()
  }
})
