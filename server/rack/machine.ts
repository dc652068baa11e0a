import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ended, Run, Start } from '../../appliance/run.ts'
import { readConsole, type Console } from './console.ts'
import { machineId, type MachineSpec } from './machine-spec.ts'
import { createTap, removeTap } from './network.ts'
import { qemuArguments, uefiFiles } from './qemu-arguments.ts'

/** A machine that is on. */
export interface Machine {
  readonly name: string
  /** Its id in the job list, for example `52-54-00-77-00-01`. */
  readonly id: string
  readonly pid: number
  readonly console: Console
  /** Settles when the machine is off, by whatever cause; never rejects. */
  readonly ended: Promise<Ended>
  /** Pulls the plug, and its cable from the bridge. */
  powerOff(): Promise<void>
}

export interface MachineTools {
  /** Where its console and its UEFI variables are kept, as `<name>.console` and `<name>.vars`. */
  directory: string
  run: Run
  start: Start
}

/** Powers a machine on, in the network namespace we are in. Throws a `CommandError` when its cable cannot be plugged in. */
export async function startMachine(spec: MachineSpec, { directory, run, start }: MachineTools): Promise<Machine> {
  const files = { consolePath: join(directory, `${spec.name}.console`), variablesPath: join(directory, `${spec.name}.vars`) }
  if (spec.firmware === 'uefi') await copyFile(uefiFiles(spec).variables, files.variablesPath)
  await createTap(spec.name, run)
  const program = await start('qemu-system-x86_64', qemuArguments(spec, files))
  return {
    name: spec.name,
    id: machineId(spec.mac),
    pid: program.pid,
    console: readConsole(program.stdout!, files.consolePath),
    ended: program.ended,
    powerOff: async () => {
      program.kill('SIGKILL')
      await program.ended
      await removeTap(spec.name, run)
    },
  }
}
