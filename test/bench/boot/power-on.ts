import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run, Start } from '../../../appliance/run.ts'
import type { Accelerator } from '../../../server/rack/accelerator.ts'
import { createDisk } from '../../../server/rack/disk-file.ts'
import { startMachine, type Machine } from '../../../server/rack/machine.ts'
import type { Firmware, MachineSpec } from '../../../server/rack/machine-spec.ts'
import { whileOn } from '../../../server/rack/while-on.ts'
import type { Mark, Measurement } from './measurement.ts'

/** The machine that both sides boot: the installer's initrd alone takes 137 MB once it is unpacked. */
export const hardware = {
  name: 'm1',
  mac: '52:54:00:77:02:01',
  nic: 'virtio-net-pci',
  memoryMiB: 1024,
  cpus: 2,
  boot: 'network',
} as const satisfies Partial<MachineSpec>

const diskSizeBytes = 4 * 1024 ** 3
/** A boot that takes longer has failed, emulated or not. */
const limitMs = 600_000

/** What one boot touches. */
export interface BootContext {
  firmware: Firmware
  accelerator: Accelerator
  /** Folder of this boot alone: data, console, disk. */
  directory: string
  run: Run
  start: Start
  signal: AbortSignal
}

export interface PowerOnOptions extends BootContext {
  /** What is waited for, for the message when it does not come: `no claim`. */
  without: string
  /** Settles at the end of the boot with what it came to, as milliseconds since 1970. */
  wait: (machine: Machine, signal: AbortSignal) => Promise<readonly Mark[]>
}

/** Powers a machine with an empty disk on, waits, and powers it off. Throws a `MachineFailure` when what is waited for does not come. */
export async function measureBoot({ wait, without, firmware, accelerator, directory, run, start, signal }: PowerOnOptions): Promise<Measurement> {
  await mkdir(directory, { recursive: true })
  const path = join(directory, 'disk.qcow2')
  await createDisk(path, diskSizeBytes, run)
  const onMs = Date.now()
  const machine = await startMachine(
    { ...hardware, firmware, accelerator, disks: [{ path, format: 'qcow2', bus: 'virtio', serial: 'empty' }] },
    { directory, run, start },
  )
  try {
    const marks = await whileOn(machine, (either) => wait(machine, either), { without, limitMs, signal })
    return { marks: marks.map(({ name, atMs }) => ({ name, atMs: atMs - onMs })), receivedBytes: await readReceivedBytes() }
  } finally {
    await machine.powerOff()
  }
}

/** What went into the machine's cable on our side came out on its own. */
const readReceivedBytes = async (): Promise<number> => Number(await readFile(`/sys/class/net/${hardware.name}/statistics/tx_bytes`, 'utf8'))
