import type { LoopDevices } from './loop-devices.ts'
import type { Measured, Scenario } from './options.ts'

/** Someone who images disks and writes them back. What was imaged of one scenario is known when the next comes. */
export interface Contender {
  capture(devices: LoopDevices, scenario: Scenario): Promise<Measured>
  /** Writes what was captured onto an empty disk of the same size. */
  restore(devices: LoopDevices, scenario: Scenario): Promise<Measured>
  close(): Promise<void>
}
