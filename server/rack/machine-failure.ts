import type { Console } from './console.ts'

/** A machine of the rack did not do what it was on for: why, and the last that it said. */
export class MachineFailure extends Error {
  override readonly name = 'MachineFailure'
  readonly machine: string
  /** The message without the machine's name. */
  readonly reason: string
  readonly consoleTail: readonly string[]
  readonly consolePath: string

  constructor(machine: string, reason: string, console: Pick<Console, 'tail' | 'path'>) {
    super(`${machine} ${reason}`)
    this.machine = machine
    this.reason = reason
    this.consoleTail = console.tail(25)
    this.consolePath = console.path
  }
}
