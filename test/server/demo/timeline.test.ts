import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { MachineEvent } from '../../../server/api/event.ts'
import type { DemoEvent } from '../../../server/demo/event.ts'
import { renderSummary } from '../../../server/demo/render-summary.ts'
import { renderLive, renderRow, type Look } from '../../../server/demo/render-timeline.ts'
import { advanceTimeline, emptyTimeline, type Live, type Timeline } from '../../../server/demo/timeline.ts'

/** What a first computer told of a machine that built debian-12 under emulation; of each step the first and the last word. */
const recorded = readFileSync(new URL('fixtures/machine-events.ndjson', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as MachineEvent)

const machine = '52-54-00-77-00-01'
const startMs = Date.parse(recorded[0]!.time) - 2300
const at = (ms: number): string => new Date(startMs + ms).toISOString()

const build: DemoEvent[] = [
  { time: at(0), kind: 'phase', phase: 'build', title: 'A bare machine becomes an image' },
  { time: at(0), kind: 'power-on', machine, name: 'm1', hardware: 'BIOS, virtio-net-pci, empty 4 GiB virtio disk, 1 GiB memory' },
  ...recorded.map((event): DemoEvent => ({ time: event.time, kind: 'machine', event })),
]
const copy = 'debian-12-1 bios'
const prove: DemoEvent[] = [
  { time: at(240_000), kind: 'phase', phase: 'prove', title: 'The image boots by itself on other machines' },
  { time: at(243_500), kind: 'task', task: 'image to disk', state: 'done', detail: 'debian-12:debian-12-1, each chunk checked' },
  { time: at(243_600), kind: 'power-on', machine: copy, name: 'bios-1', hardware: "BIOS, no network boot, a copy of the image's disk" },
  { time: at(282_500), kind: 'proof', machine: copy, event: { kind: 'login', ms: 38_900 } },
  { time: at(282_600), kind: 'proof', machine: copy, event: { kind: 'waiting', for: 'its SSH server' } },
  { time: at(288_000), kind: 'proof', machine: copy, event: { kind: 'checked', check: 'run systemctl is-active ssh.service', ms: 941 } },
  { time: at(288_100), kind: 'proven', machine: copy, name: 'bios-1', image: 'debian-12:debian-12-1', loginMs: 38_900, checkedMs: 44_500 },
]

function play(events: readonly DemoEvent[]): { timeline: Timeline; rows: ReturnType<typeof advanceTimeline>['rows'] } {
  let timeline = emptyTimeline(startMs)
  const rows = events.flatMap((event) => {
    const advanced = advanceTimeline(timeline, event)
    timeline = advanced.timeline
    return advanced.rows
  })
  return { timeline, rows }
}

const plain: Look = { colours: false }

describe('the timeline of a recorded run', () => {
  test('reads hop by hop and step by step, each machine by its own clock', () => {
    expect(play([...build, ...prove]).rows.map((row) => renderRow(row, plain)).join('\n')).toMatchInlineSnapshot(`
      "
      A bare machine becomes an image
         0:00.0  m1        power on               BIOS, virtio-net-pci, empty 4 GiB virtio disk, 1 GiB memory
         0:02.3  m1        DHCP                   10.77.0.100, boots from http://10.77.0.1:8080/boot/ipxe
         0:02.4  m1        boot script            asked for by 10.77.0.100
         0:02.5  m1        kernel                 8.25 MB in 0.1 s, 98.2 MB/s
         0:02.6  m1        initramfs              6.75 MB in 0.1 s, 125 MB/s
         0:12.2  m1        DHCP                   10.77.0.100
         0:12.6  m1        stage 2                32.4 MB in 0.2 s, 142 MB/s
         0:22.1  m1        claim                  job debian-12-20261123-220137-f002
         0:22.3  m1        worker                 QEMU Ingot rack, 2 cores, 960 MiB, /dev/vda 4 GiB
         0:27.8  m1        1/8 partition          4.2 s
         2:00.7  m1        2/8 install-rootfs     200 MB in 92.9 s, 2.15 MB/s
         2:20.1  m1        3/8 install-bootloader 19.4 s
         2:22.1  m1        6/8 configure-script   2.0 s
         3:55.6  m1        8/8 image              971 MB in 93.5 s, 10.4 MB/s
         3:55.6  m1        image                  debian-12:debian-12-20261123-220137-f002, 252 MB for a disk of 4 GiB
         3:55.6  m1        ✓ performed            job debian-12-20261123-220137-f002

      The image boots by itself on other machines
         0:03.5  host      image to disk          debian-12:debian-12-1, each chunk checked
         0:00.0  bios-1    power on               BIOS, no network boot, a copy of the image's disk
         0:38.9  bios-1    login prompt           from its own disk
         0:44.4  bios-1    check                  run systemctl is-active ssh.service, 0.9 s
         0:44.5  bios-1    ✓ proven               debian-12:debian-12-1"
    `)
  })

  test('is summed up with times, bytes, image and proof', () => {
    const finished = { time: at(290_000), kind: 'finished', imagesDirectory: '/data/images', consolesDirectory: '/run', proofsDirectory: '/data/proofs' } as const
    expect(renderSummary(play([...build, ...prove]).timeline, finished).join('\n')).toMatchInlineSnapshot(`
      "
      m1: time since power-on
        has an address                   2.3 s
        asks for its boot script         2.4 s
        has the kernel                   2.5 s
        has the initramfs                2.6 s
        has stage 2                     12.6 s
        holds a job                     22.1 s
        worker reports                  22.3 s
        image received              3 min 56 s
        job performed               3 min 56 s
      m1: time of each step
        partition                        4.2 s
        install-rootfs                  92.9 s
        install-bootloader              19.4 s
        configure-script                 2.0 s
        image                           93.5 s
      bytes moved         47.4 MB to boot, 252 MB of image
      image               debian-12:debian-12-20261123-220137-f002, a disk of 4 GiB in 252 MB
      digest              sha256:12a10f0a98d95f3fae1d333810d504da33c0fe34a64d05c742677957b789d575

      proof on bios-1     debian-12:debian-12-1: login prompt 38.9 s after power-on, all checks passed at 44.5 s
      images              /data/images
      consoles and logs   /run
      proof consoles      /data/proofs"
    `)
  })

  test('shows nothing as going on once the job has ended, nor once the copy has proven it', () => {
    expect(play(build).timeline.live.size).toBe(0)
    expect(play([...build, ...prove]).timeline.live.size).toBe(0)
  })

  test('shows what a copy is waited for, by its own clock', () => {
    const { live } = play([...build, ...prove.slice(0, 5)]).timeline
    expect([...live.values()].map((each) => renderLive(each, startMs + 284_600, plain))).toEqual(['   0:41.0  bios-1    waits for              2.0 s  its SSH server'])
  })

  test('never lets a line be wider than the terminal', () => {
    for (const row of play([...build, ...prove]).rows) {
      for (const line of renderRow(row, { width: 60, colours: false }).split('\n')) expect(line.length).toBeLessThanOrEqual(60)
    }
  })

  test('leaves out what it knows nothing of: a machine that is not of the rack', () => {
    expect(play([{ time: at(0), kind: 'machine', event: { time: at(0), machine: '00-00-00-00-00-01', hop: 'boot-script', address: '10.77.0.9' } }]).rows).toEqual([])
  })
})

describe('what goes on', () => {
  const live: Live = { zeroMs: 0, sinceMs: 10_000, who: 'm1', what: '2/8 install-rootfs', detail: 'unpacking debian-12-base' }

  test('is told with share, rate and time left when its size is known', () => {
    expect(renderLive({ ...live, doneBytes: 50_000_000, totalBytes: 200_000_000 }, 20_000, plain)).toMatchInlineSnapshot(`"   0:20.0  m1        2/8 install-rootfs     ████░░░░░░░░░░░░  25 %  50 MB of 200 MB  5 MB/s  30.0 s left  unpacking debian-12-base"`)
  })

  test('is told with bytes and rate when it is not', () => {
    expect(renderLive({ ...live, doneBytes: 50_000_000 }, 20_000, plain)).toMatchInlineSnapshot(`"   0:20.0  m1        2/8 install-rootfs     50 MB  5 MB/s  unpacking debian-12-base"`)
  })

  test('is told with its time when it has no bytes', () => {
    expect(renderLive(live, 20_000, plain)).toMatchInlineSnapshot(`"   0:20.0  m1        2/8 install-rootfs     10.0 s  unpacking debian-12-base"`)
  })

  test('promises no rate in its first second', () => {
    expect(renderLive({ ...live, doneBytes: 1, totalBytes: 100 }, 10_100, plain)).not.toMatch(/\/s|left/)
  })
})

test('a failure ends the timeline with what failed, marked', () => {
  const { rows } = play([...build.slice(0, 4), { time: at(100_000), kind: 'failed', message: 'm1 stopped after tftp undionly.kpxe: no boot script asked for within 60 s', consoleTail: [] }])
  expect(renderRow(rows.at(-1)!, plain)).toMatchInlineSnapshot(`"   1:40.0            ✗ failed               m1 stopped after tftp undionly.kpxe: no boot script asked for within 60 s"`)
})
