import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecipeCheck } from '../../images/recipe.ts'
import { createOverlay } from '../rack/disk-file.ts'
import type { Machine, MachineTools } from '../rack/machine.ts'
import { startMachine } from '../rack/machine.ts'
import { MachineFailure } from '../rack/machine-failure.ts'
import type { Firmware, MachineSpec } from '../rack/machine-spec.ts'
import { whileOn } from '../rack/while-on.ts'
import { CheckFailure, describeCheck, runCheck } from './run-check.ts'
import { secureBootCheck } from './secure-boot-check.ts'
import { sshCredential } from './ssh-credential.ts'
import { createSshKey, runBySsh, waitForSsh } from './ssh.ts'

/** What a proof tells while it runs. */
export type ProofEvent =
  | { kind: 'login' }
  | { kind: 'address'; address: string }
  | { kind: 'checked'; check: string; ms: number }

export interface ProofOptions extends Pick<MachineSpec, 'name' | 'mac' | 'accelerator'>, Omit<MachineTools, 'directory'> {
  /** The disk as it came from the image, raw; it is not written to. */
  diskPath: string
  firmware: Firmware
  /** UEFI only: the machine has Secure Boot on, and the proof asks its kernel whether it is. */
  secureBoot: boolean
  checks: readonly RecipeCheck[]
  /** Where the overlay, the key and the console of this proof go; made here. */
  directory: string
  /** The address that the first computer's DHCP server gave to the machine with this id. */
  addressOf: (machineId: string, signal: AbortSignal) => Promise<string>
  onEvent: (event: ProofEvent) => void
  signal: AbortSignal
}

export interface Proof {
  firmware: Firmware
  /** From power-on to the login prompt, and to the last check passed. */
  loginMs: number
  checkedMs: number
  /** By which others know the copy: two copies of an image must differ in both (B24). */
  identity: { machineId: string; sshHostKey: string }
  consolePath: string
}

/** Seconds that a booting machine gets, generous even where every instruction is emulated. */
const limitsMs = { kvm: { login: 180_000, check: 60_000 }, 'tcg,thread=multi': { login: 600_000, check: 300_000 } }

/**
 * Shows that an image boots by itself: powers a throw-away machine on from nothing but a copy of its disk, waits for the login prompt on its
 * serial console, and runs the recipe's own checks against it (F2). The copy and its key are gone afterwards, its console stays.
 * Throws a `MachineFailure` that says how far it came, with the end of its console.
 */
export async function proveImage(options: ProofOptions): Promise<Proof> {
  const { directory, run, start, accelerator } = options
  await mkdir(directory, { recursive: true })
  const overlayPath = join(directory, 'overlay.qcow2')
  const key = await createSshKey(directory, run)
  await createOverlay(overlayPath, options.diskPath, run)
  const powerOn = performance.now()
  const machine = await startMachine(
    {
      ...{ name: options.name, mac: options.mac, firmware: options.firmware, secureBoot: options.secureBoot, accelerator, boot: 'disk' },
      ...{ nic: 'virtio-net-pci', memoryMiB: 1024, cpus: 1 },
      disks: [{ path: overlayPath, format: 'qcow2', bus: 'virtio', serial: `${options.name}-copy` }],
      smbiosStrings: [sshCredential(key.publicKey)],
    },
    { directory, run, start },
  )
  const limit = limitsMs[accelerator]
  const within = <Result>(without: string, limitMs: number, wait: (signal: AbortSignal) => Promise<Result>): Promise<Result> =>
    whileOn(machine, wait, { without, limitMs, signal: options.signal })
  try {
    await within('no login prompt on the serial console', limit.login, (signal) => machine.console.waitFor(/login:$/m, signal))
    const loginMs = performance.now() - powerOn
    options.onEvent({ kind: 'login' })

    const address = await within('no address from the first computer', limit.check, (signal) => options.addressOf(machine.id, signal))
    options.onEvent({ kind: 'address', address })
    await within(`no SSH server on ${address}`, limit.check, (signal) => waitForSsh(address, signal))
    const identity = await within('no answer by SSH', limit.check, (signal) =>
      runBySsh(address, 'cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub', { key, run, signal }).catch((error: Error) => {
        signal.throwIfAborted()
        throw new MachineFailure(machine.name, `did not tell its identity by SSH: ${error.message}`, machine.console)
      }),
    )
    const [machineId = '', sshHostKey = ''] = identity.split('\n')
    const checks = options.secureBoot ? [secureBootCheck, ...options.checks] : options.checks
    for (const check of checks) await provenCheck(check, machine, { address, key, limitMs: limit.check, options })
    return { firmware: options.firmware, loginMs, checkedMs: performance.now() - powerOn, identity: { machineId, sshHostKey }, consolePath: machine.console.path }
  } finally {
    await machine.powerOff()
    await Promise.all([overlayPath, key.path, `${key.path}.pub`].map((path) => rm(path)))
  }
}

interface CheckContext {
  address: string
  key: { path: string; publicKey: string }
  limitMs: number
  options: ProofOptions
}

async function provenCheck(check: RecipeCheck, machine: Machine, { address, key, limitMs, options }: CheckContext): Promise<void> {
  const started = performance.now()
  const wait = async (signal: AbortSignal): Promise<void> => {
    const runScript = (script: string): Promise<string> => runBySsh(address, script, { key, run: options.run, signal })
    await runCheck(check, { address, runScript, fetch, signal })
  }
  try {
    await whileOn(machine, wait, { without: `the check "${describeCheck(check)}" not done`, limitMs, signal: options.signal })
  } catch (error) {
    if (error instanceof CheckFailure) throw new MachineFailure(machine.name, error.message, machine.console)
    throw error
  }
  options.onEvent({ kind: 'checked', check: describeCheck(check), ms: performance.now() - started })
}
