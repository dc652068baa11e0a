import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

/*
 * The main job on real input, as `npm run demo` does it: firmware, DHCP, TFTP, HTTP, appliance, worker, image, and copies that boot by
 * themselves. The second run has no outside network and lives on what the first one kept (F10), with another firmware, disk and recipe.
 */

const ingot = join(import.meta.dirname, '../../server/ingot')
/** Emulated on a busy host the main job takes several times as long as on an idle one. */
const limitMs = 40 * 60_000

interface DemoRun {
  exitCode: number | null
  events: { kind: string; event?: { hop: string; [field: string]: unknown }; [field: string]: unknown }[]
  hops: string[]
  errors: string
}

/** `signal` ends it, so that a test that takes too long leaves nothing that the next one would wait for. */
async function demo(signal: AbortSignal, ...args: string[]): Promise<DemoRun> {
  const child = spawn(ingot, ['demo', '--json', ...args], { stdio: ['ignore', 'pipe', 'pipe'], signal })
  child.once('error', () => {})
  const events: DemoRun['events'] = []
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += chunk))
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  for await (const line of createInterface({ input: child.stdout })) events.push(JSON.parse(line))
  const hops = events.flatMap(({ kind, event }) => (kind === 'machine' && event !== undefined ? [event.hop] : []))
  return { exitCode: await closed, events, hops: hops.filter((hop, index) => hops.indexOf(hop) === index), errors }
}

const steps = ({ events }: DemoRun): unknown[] => [
  ...new Set(events.flatMap(({ kind, event }) => (kind === 'machine' && event?.hop === 'step' ? [(event.progress as { step: string }).step] : []))),
]
const proven = ({ events }: DemoRun): unknown[] => events.filter(({ kind }) => kind === 'proven').map(({ name }) => name)

describe('from power-on to a bootable image', () => {
  test('BIOS: a bare machine becomes an image with nginx that boots by itself with BIOS and with UEFI and serves its page', { timeout: limitMs }, async ({ signal }) => {
    const run = await demo(signal, '--firmware', 'bios', '--recipe', 'debian-12-nginx')
    expect(run.errors).toBe('')
    expect(run.exitCode).toBe(0)
    // Told in an order that varies by milliseconds: what is asked around the claim, and the components beside the first step.
    const beside = ['worker', 'plan', 'stage2', 'component']
    expect(run.hops.filter((hop) => !beside.includes(hop))).toEqual([
      ...['dhcp-discover', 'dhcp-offer', 'dhcp-ack', 'boot-script', 'kernel', 'initramfs', 'credential', 'claim', 'step', 'image', 'performed'],
    ])
    expect(run.hops).toEqual(expect.arrayContaining(beside))
    expect(run.hops.slice(run.hops.indexOf('claim'), run.hops.indexOf('image'))).toContain('component')
    expect(steps(run)).toEqual(expect.arrayContaining(['partition', 'install-rootfs', 'install-packages', 'image']))
    expect(proven(run)).toHaveLength(2)
    const end = run.events.at(-1)!
    expect(end.kind).toBe('finished')
    const said = await readFile(join(String(end.imagesDirectory), '../machines/52-54-00-77-00-01.console'), 'utf8')
    for (const what of [/^kernel: \[ +\d+\.\d{6}\] Linux version /m, /^worker: \{.*"worker up"/m, /^worker: \{.*"job claimed"/m]) expect(said).toMatch(what)
  })

  test('F10 UEFI, NVMe and no outside network: a second build succeeds from what the first computer kept, and its image boots under Secure Boot', { timeout: limitMs }, async ({ signal }) => {
    const run = await demo(signal, '--firmware', 'uefi', '--disk', 'nvme', '--recipe', 'debian-12-nginx', '--offline', '--secure-boot')
    expect(run.errors).toBe('')
    expect(run.exitCode).toBe(0)
    // Here the firmware's own stack boots, so that iPXE comes by TFTP.
    expect(run.hops).toContain('tftp')
    expect(run.events.find(({ event }) => event?.hop === 'worker')?.event).toMatchObject({ inventory: { firmware: 'uefi', secureBoot: false } })
    expect(steps(run)).toEqual(expect.arrayContaining(['partition', 'install-rootfs', 'install-packages', 'image']))
    expect(proven(run)).toHaveLength(2)
  })
})
