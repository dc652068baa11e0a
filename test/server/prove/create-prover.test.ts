import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run, start } from '../../../appliance/run.ts'
import type { ProofEvent } from '../../../server/api/proof.ts'
import { openImageStore, type Image, type ImageStore } from '../../../server/image-store/open-image-store.ts'
import { createProver } from '../../../server/prove/create-prover.ts'
import { dropAbandonedProofs } from '../../../server/prove/drop-abandoned-proofs.ts'
import { requireProofNeeds } from '../../../server/prove/proof-needs.ts'
import { Unproven } from '../../../server/prove/prove.ts'
import { filled, sampleConfig, storeSample } from '../image-store/sample-image.ts'

const mebibyte = 1024 * 1024
let home: string
let images: ImageStore
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-prover-'))
  images = await openImageStore(join(home, 'images'))
})
afterEach(async () => {
  images.close()
  await rm(home, { recursive: true })
})

/** A disk of 20 MiB with something on it, but nothing that boots. */
async function storeBlank(): Promise<Image> {
  const { bytes } = await storeSample(images, [filled(4 * mebibyte, 1)], sampleConfig({ diskSizeBytes: 20 * mebibyte }))
  return images.receive('blank', 'blank-1', bytes)
}
const proofs = () => join(home, 'proofs')

describe('a disk that does not boot (needs QEMU and OVMF)', { timeout: 120_000 }, () => {
  test.each([
    ['bios', 'BIOS', 'No bootable device', 'Boot failed: not a bootable disk'],
    ['uefi', 'UEFI', 'UEFI Interactive Shell', 'BdsDxe: failed to load Boot0001'],
  ] as const)('F2 %s: is told at once, by what its firmware says, with its console, and leaves nothing else behind', async (firmware, name, said, before) => {
    const prove = createProver({ images, directory: proofs(), run, start })
    const events: ProofEvent[] = []
    const plan = { firmware: [firmware], checks: [], timeoutSeconds: 100 }
    const failure: unknown = await prove(await storeBlank(), plan, { job: 'job-1', onEvent: (event) => events.push(event), signal: new AbortController().signal }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Unproven)
    expect((failure as Unproven).failure).toMatchObject({ step: 'proof', message: expect.stringMatching(new RegExp(`^a copy on ${name} said ".*${said}.*" where a login prompt was waited for`)) })
    expect((failure as Unproven).failure.lastLines.join('\n')).toMatch(new RegExp(`${before}[^]*${said}`))
    expect(events).toEqual([{ kind: 'waiting', for: 'a disk to be made of the image' }, { kind: 'power-on' }, { kind: 'waiting', for: 'the login prompt' }])
    expect((await readdir(proofs(), { recursive: true })).toSorted()).toEqual(['consoles', 'consoles/blank-1', `consoles/blank-1/${firmware}.console`, 'work'])
    expect(await readFile(join(proofs(), 'consoles', 'blank-1', `${firmware}.console`), 'utf8')).toContain(before)
  })

  test('copies boot side by side, and the first that fails ends the other, is told, and leaves nothing running', async () => {
    const prove = createProver({ images, directory: proofs(), run, start })
    const poweredOn: (string | undefined)[] = []
    const onEvent: Parameters<typeof prove>[2]['onEvent'] = ({ kind }, at) => void (kind === 'power-on' && poweredOn.push(at?.boot.firmware))
    const plan = { firmware: ['bios' as const, 'uefi' as const], checks: [], timeoutSeconds: 100 }
    await expect(prove(await storeBlank(), plan, { job: 'job-1', onEvent, signal: new AbortController().signal })).rejects.toThrow(/^a copy on (BIOS|UEFI) said /)
    // Where there is one processor alone, the second is never powered on.
    expect(poweredOn.toSorted()).toEqual(availableParallelism() > 1 ? ['bios', 'uefi'] : ['bios'])
    expect(await machinesIn(proofs())).toEqual([])
    expect(await readdir(join(proofs(), 'work'))).toEqual([])
  })

  test('the time limit of the proof ends it, telling what was waited for', async () => {
    const prove = createProver({ images, directory: proofs(), run, start })
    const plan = { firmware: ['uefi' as const], checks: [], timeoutSeconds: 1 }
    const proving = prove(await storeBlank(), plan, { job: 'job-1', onEvent: () => {}, signal: new AbortController().signal })
    await expect(proving).rejects.toThrow('a copy on UEFI stopped: no login prompt on the serial console within 1 s of power-on')
  })

  test('whoever stops it stops the machine', async () => {
    const prove = createProver({ images, directory: proofs(), run, start })
    const stop = new AbortController()
    const plan = { firmware: ['uefi' as const], checks: [], timeoutSeconds: 100 }
    const onEvent = ({ kind }: ProofEvent) => void (kind === 'power-on' && setTimeout(() => stop.abort(new Error('cancelled')), 300))
    await expect(prove(await storeBlank(), plan, { job: 'job-1', onEvent, signal: stop.signal })).rejects.toThrow('cancelled')
    expect(await readdir(join(proofs(), 'work'))).toEqual([])
  })

  test('a server that is killed takes its machine along, and the next one removes what is left', async () => {
    const { digest } = await storeBlank()
    const child = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/prove-and-hang.ts'), home, digest], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      await once(createInterface({ input: child.stdout }), 'line')
      const machines = await machinesIn(proofs())
      expect(machines).toHaveLength(1)
      child.kill('SIGKILL')
      await once(child, 'exit')
      while ((await machinesIn(proofs())).length > 0) await sleep(20)
      expect(await readdir(join(proofs(), 'work'))).toEqual(['job-1'])
      await dropAbandonedProofs(proofs(), { hold: async () => ({ letGo: async () => {} }) })
      expect(await readdir(join(proofs(), 'work'))).toEqual([])
    } finally {
      child.kill('SIGKILL')
    }
  })
})

/** Process ids of the QEMUs whose files are in a directory. */
async function machinesIn(directory: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map(async (pid) => ({ pid, line: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') })))
  return lines.filter(({ line }) => line.startsWith('qemu-system') && line.includes(directory)).map(({ pid }) => pid)
}

test('a host that lacks QEMU is told which programs and packages', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'ingot-path-'))
  try {
    await expect(requireProofNeeds([{ firmware: 'bios', secureBoot: false }], empty)).rejects.toMatchObject({
      code: 'host-lacks',
      message: 'this host lacks qemu-system-x86_64, qemu-img, ssh-keygen, ssh, setpriv, which the proof needs: apt-get install --no-install-recommends qemu-system-x86 qemu-utils openssh-client util-linux',
    })
  } finally {
    await rm(empty, { recursive: true })
  }
})
