import { join } from 'node:path'
import { renderSize } from '../../images/size.ts'
import type { MachineEvent } from '../api/event.ts'
import { createDisk } from '../rack/disk-file.ts'
import { startMachine, type Machine } from '../rack/machine.ts'
import { machineId, type MachineSpec } from '../rack/machine-spec.ts'
import type { DemoContext } from './context.ts'
import { watchMachine } from './watch-machine.ts'

type ReceivedImage = Extract<MachineEvent, { hop: 'image' }>

/** Locally administered, in QEMU's range. */
const macOf = (number: number): string => `52:54:00:77:00:${number.toString(16).padStart(2, '0')}`

/** The ids of the machines that build, by which the first computer tells of them. */
export const buildMachines = (count: number): string[] => Array.from({ length: count }, (_, index) => machineId(macOf(index + 1)))

/** Powers on machines with empty disks and no operating system, and follows each until its image was received. Powers all off in the end. */
export async function buildImages(diskSizeBytes: number, context: DemoContext): Promise<ReceivedImage[]> {
  const { options, paths, feed, emit, accelerator, run, start, signal } = context
  const machines: Machine[] = []
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const specs = Array.from({ length: options.machines }, (_, index): MachineSpec => {
    const name = `m${index + 1}`
    const disk = { path: join(paths.run, `${name}.qcow2`), format: 'qcow2', bus: options.disk, serial: `${name}-disk` } as const
    return {
      ...{ name, mac: macOf(index + 1), firmware: options.firmware, nic: options.nic, accelerator, boot: 'network' },
      ...{ memoryMiB: options.memoryMiB, cpus: 2, disks: [disk] },
    }
  })
  for (const disk of specs.flatMap(({ disks }) => disks)) await createDisk(disk.path, diskSizeBytes, run)
  const powerOn = async (spec: MachineSpec): Promise<ReceivedImage> => {
    emit({ kind: 'power-on', machine: machineId(spec.mac), name: spec.name, hardware: describeHardware(spec, diskSizeBytes) })
    const machine = await startMachine(spec, { directory: paths.run, run, start })
    machines.push(machine)
    return watchMachine({ machine, feed, accelerator, onEvent: (event) => emit({ kind: 'machine', event }), signal: either })
  }
  try {
    return await Promise.all(specs.map(powerOn))
  } finally {
    // The first failure ends the others too.
    stop.abort(new Error('another machine failed'))
    await Promise.all(machines.map((machine) => machine.powerOff()))
  }
}

export const describeHardware = ({ firmware, nic, disks, memoryMiB }: MachineSpec, diskSizeBytes: number): string =>
  `${firmware === 'bios' ? 'BIOS' : 'UEFI'}, ${nic}, empty ${renderSize(diskSizeBytes)} ${disks[0]?.bus} disk, ${renderSize(memoryMiB * 1024 * 1024)} memory`
