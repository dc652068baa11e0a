import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ended, Run, Start } from '../../appliance/run.ts'
import { readConsole, type Console } from './console.ts'
import { machineId, type MachineSpec } from './machine-spec.ts'
import { askMonitor } from './monitor.ts'
import { createTap, removeTap } from './network.ts'
import { qemuArguments, uefiFiles } from './qemu-arguments.ts'

/** A machine that is on. */
export interface Machine {
  readonly name: string
  /** Its id in the job list, for example `52-54-00-77-00-01`. */
  readonly id: string
  readonly pid: number
  readonly console: Console
  /** The port of this host's loopback that leads to a forwarded port of the machine. */
  readonly forwards: ReadonlyMap<number, number>
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

/**
 * Powers a machine on, in the network namespace we are in. It goes off when this process dies, however that happens (setpriv(1)). Throws a
 * `CommandError` when its cable cannot be plugged in, and an `Error` with QEMU's last words when it cannot make the machine's own network.
 */
export async function startMachine(spec: MachineSpec, { directory, run, start }: MachineTools): Promise<Machine> {
  const files = { consolePath: join(directory, `${spec.name}.console`), variablesPath: join(directory, `${spec.name}.vars`) }
  if (spec.firmware === 'uefi') await copyFile(uefiFiles(spec).variables, files.variablesPath)
  const isCabled = spec.network === undefined
  if (isCabled) await createTap(spec.name, run)
  const args = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...qemuArguments(spec, files)]
  const program = await start('setpriv', args, isCabled ? {} : { extraPipes: 1 })
  const console = readConsole(program.stdout!, files.consolePath)
  const { forwards } = isCabled
    ? { forwards: new Map<number, number>() }
    : await askMonitor(program.extraPipes[0]!).catch(async (error: Error) => {
        program.kill('SIGKILL')
        const { lastLines } = await program.ended
        throw new Error(`QEMU did not start: ${lastLines.at(-1) ?? error.message}`, { cause: error })
      })
  return {
    name: spec.name,
    id: machineId(spec.mac),
    pid: program.pid,
    console,
    forwards,
    ended: program.ended,
    powerOff: async () => {
      program.kill('SIGKILL')
      await program.ended
      if (isCabled) await removeTap(spec.name, run)
    },
  }
}
