import type { Run, Start } from '../../appliance/run.ts'
import type { Accelerator } from '../rack/accelerator.ts'
import type { EmitDemo } from './event.ts'
import type { EventFeed } from './event-feed.ts'
import type { DemoOptions, DemoPaths } from './options.ts'

/** What the parts of the demo touch. */
export interface DemoContext {
  options: DemoOptions
  paths: DemoPaths
  feed: EventFeed
  emit: EmitDemo
  accelerator: Accelerator
  run: Run
  start: Start
  signal: AbortSignal
}
