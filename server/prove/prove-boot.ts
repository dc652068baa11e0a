import { copyFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecipeCheck } from '../../images/recipe.ts'
import type { ProofBoot, ProofEvent } from '../api/proof.ts'
import { createOverlay } from '../rack/disk-file.ts'
import { startMachine, type Machine, type MachineTools } from '../rack/machine.ts'
import { MachineFailure } from '../rack/machine-failure.ts'
import type { MachineSpec } from '../rack/machine-spec.ts'
import { whileOn } from '../rack/while-on.ts'
import { awaitLogin } from './await-login.ts'
import { nameOfBoot } from './proof-paths.ts'
import { CheckFailure, describeCheck, runCheck } from './run-check.ts'
import { secureBootCheck } from './secure-boot-check.ts'
import { sshCredential } from './ssh-credential.ts'
import { createSshKey, runBySsh, waitForSsh, type SshKey } from './ssh.ts'

export interface BootOptions extends MachineTools, Pick<MachineSpec, 'accelerator'> {
  boot: ProofBoot
  /** Counts the copies of an image from 0. */
  copy: number
  /** The disk as it came from the image, raw; it is not written to. */
  diskPath: string
  /** Whether the image says that it has an SSH server: then its identity is asked, also where no check needs it. */
  hasSsh: boolean
  checks: readonly RecipeCheck[]
  /** From power-on to the last check. */
  timeoutMs: number
  /** Where the console is kept. */
  consolePath: string
  onEvent: (event: ProofEvent) => void
  signal: AbortSignal
}

export interface ProvenBoot {
  boot: ProofBoot
  /** From power-on to the login prompt, and to the last check passed. */
  loginMs: number
  checkedMs: number
  checks: { check: string; ms: number }[]
  /** By which others know the copy: two copies of an image must differ in both (B24). Unknown without SSH. */
  identity?: { machineId: string; sshHostKey: string }
}

/** In QEMU's range, and another for each copy: its UUID is made of it, and systemd makes its machine id of that (machine-id(5)). */
const macOf = (copy: number): string => `52:54:00:77:01:${(copy + 1).toString(16).padStart(2, '0')}`

const sshPort = 22

/**
 * Shows that an image boots by itself: powers a throw-away machine on from nothing but a copy of its disk, on a network that leads nowhere, waits for the
 * login prompt on its serial console, and runs the recipe's own checks against it (F2). The machine, its disk and its key are gone afterwards, its
 * console stays. Throws a `MachineFailure` that says how far it came, with the end of its console.
 */
export async function proveBoot(options: BootOptions): Promise<ProvenBoot> {
  const { boot, directory, run, start, accelerator, timeoutMs, onEvent, signal } = options
  const checks = boot.secureBoot ? [secureBootCheck, ...options.checks] : options.checks
  const wantsSsh = options.hasSsh || checks.some((check) => 'run' in check)
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  const key = await createSshKey(directory, run)
  const overlayPath = join(directory, 'overlay.qcow2')
  await createOverlay(overlayPath, options.diskPath, run)

  const name = nameOfBoot(boot)
  onEvent({ kind: 'power-on' })
  const powerOnMs = performance.now()
  const machine = await startMachine(
    {
      ...{ name, mac: macOf(options.copy), ...boot, accelerator, boot: 'disk', nic: 'virtio-net-pci', memoryMiB: 1024, cpus: 1 },
      network: { forward: [...new Set([...(wantsSsh ? [sshPort] : []), ...checks.flatMap((check) => ('http' in check ? [check.http.port] : []))])] },
      disks: [{ path: overlayPath, format: 'qcow2', bus: 'virtio', serial: 'proof' }],
      smbiosStrings: [sshCredential(key.publicKey)],
    },
    { directory, run, start },
  )
  const waitFor = <Result>(what: string, without: string, wait: (signal: AbortSignal) => Promise<Result>): Promise<Result> => {
    onEvent({ kind: 'waiting', for: what })
    return whileOn(machine, wait, { without, limitMs: timeoutMs, powerOnMs, signal })
  }
  const sinceOn = (): number => Math.round(performance.now() - powerOnMs)
  try {
    await waitFor('the login prompt', 'no login prompt on the serial console', (until) => awaitLogin(machine, until))
    const loginMs = sinceOn()
    onEvent({ kind: 'login', ms: loginMs })

    const context: CheckContext = { machine, key, run }
    if (wantsSsh) await waitFor('its SSH server', 'no SSH server', (until) => waitForSsh(machine.forwards.get(sshPort)!, until))
    const identity = wantsSsh ? await waitFor('its identity', 'no answer by SSH', (until) => readIdentity(context, until)) : undefined
    const passed: ProvenBoot['checks'] = []
    for (const check of checks) {
      const title = describeCheck(check)
      const begun = performance.now()
      await waitFor(`the check "${title}"`, `the check "${title}" not done`, (until) => passCheck(check, context, until))
      const ms = Math.round(performance.now() - begun)
      passed.push({ check: title, ms })
      onEvent({ kind: 'checked', check: title, ms })
    }
    const checkedMs = sinceOn()
    onEvent({ kind: 'proven', loginMs, checkedMs })
    return { boot, loginMs, checkedMs, checks: passed, ...(identity === undefined ? {} : { identity }) }
  } finally {
    await machine.powerOff()
    await copyFile(machine.console.path, options.consolePath)
    await rm(directory, { recursive: true })
  }
}

interface CheckContext {
  machine: Machine
  key: SshKey
  run: MachineTools['run']
}

async function readIdentity({ machine, key, run }: CheckContext, signal: AbortSignal): Promise<NonNullable<ProvenBoot['identity']>> {
  const told = await runBySsh(machine.forwards.get(sshPort)!, 'cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub', { key, run, signal }).catch((error: Error) => {
    signal.throwIfAborted()
    throw new MachineFailure(machine.name, `did not tell its identity by SSH: ${error.message}`, machine.console)
  })
  const [machineId = '', sshHostKey = ''] = told.split('\n')
  return { machineId, sshHostKey }
}

async function passCheck(check: RecipeCheck, { machine, key, run }: CheckContext, signal: AbortSignal): Promise<void> {
  const runScript = (script: string): Promise<string> => runBySsh(machine.forwards.get(sshPort)!, script, { key, run, signal })
  const addressOf = (port: number): string => `127.0.0.1:${machine.forwards.get(port)}`
  try {
    await runCheck(check, { addressOf, runScript, fetch, signal })
  } catch (error) {
    if (error instanceof CheckFailure) throw new MachineFailure(machine.name, error.message, machine.console)
    throw error
  }
}
