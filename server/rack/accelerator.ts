import { access, constants, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError, type Run } from '../../appliance/run.ts'

/** What runs the guests, as QEMU's `-accel` wants it. Emulation takes 5 to 20 times as long. */
export type Accelerator = 'kvm' | 'tcg,thread=multi'

let found: Promise<Accelerator> | undefined

/** The accelerator of this host, found out once per process. */
export const accelerator = (run: Run): Promise<Accelerator> =>
  (found ??= runsGuest('kvm', run).then((works) => (works ? 'kvm' : 'tcg,thread=multi')))

/**
 * Whether a guest really runs: the device `/dev/kvm` alone says little, for a nested KVM may interpret each instruction instead of running it, and
 * Linux never starts. The guest is 15 bytes at the reset vector of a 64 KiB ROM: it counts down from 16 777 216 and leaves by isa-debug-exit. A
 * processor, and QEMU's emulation too, does so in well under 0.1 s; interpreting takes longer than the limit.
 */
export async function runsGuest(accel: 'kvm' | 'tcg', run: Run, timeoutMs = 2000): Promise<boolean> {
  const usable = accel === 'tcg' || (await access('/dev/kvm', constants.R_OK | constants.W_OK).then(() => true, () => false))
  if (!usable) return false
  const directory = await mkdtemp(join(tmpdir(), 'ingot-kvm-'))
  try {
    const rom = join(directory, 'count.rom')
    await writeFile(rom, countingRom())
    const machine = ['-machine', 'pc', '-nodefaults', '-display', 'none', '-bios', rom]
    await run('qemu-system-x86_64', ['-accel', accel, ...machine, '-device', `isa-debug-exit,iobase=${exitPort},iosize=4`], { timeoutMs })
    return false
  } catch (error) {
    if (error instanceof CommandError) return error.exitCode === exitedByGuest
    throw error
  } finally {
    await rm(directory, { recursive: true })
  }
}

const exitPort = 0xf4
const exitValue = 0x10
/** isa-debug-exit: status = value << 1 | 1 (QEMU, hw/misc/debugexit.c). */
const exitedByGuest = (exitValue << 1) | 1

function countingRom(): Uint8Array {
  const rom = new Uint8Array(65536)
  rom.set([
    0x66, 0xb9, 0x00, 0x00, 0x00, 0x01, // mov ecx, 0x1000000
    0x66, 0x49,                         // dec ecx
    0x75, 0xfc,                         // jnz -4
    0xb0, exitValue,                    // mov al, 0x10
    0xe6, exitPort,                     // out 0xf4, al
    0xf4,                               // hlt
  ], 0xfff0)
  return rom
}
