import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { run, start } from '../../appliance/run.ts'
import { prepareAppliance } from '../../server/demo/prepare-appliance.ts'
import { runInNamespace } from '../../server/rack/namespace.ts'
import type { DiskScene, MachineOutcome, SceneDisk } from './disk-danger/inside.ts'

/*
 * F1 in the appliance itself, on disks that no loop device can be: what test/appliance/disks shows of the rule, the kernel and its sysfs show here.
 */

const cache = join(import.meta.dirname, '../../.ingot')
const limitMs = 20 * 60_000

const device = (...options: string[]) => ['-device', options.join(',')]
const nvme = (name: string, serial: string, options = '', start?: string): SceneDisk => ({ name, sizeMiB: 64, ...(start === undefined ? {} : { start }), devices: [device('nvme', 'drive=$', `serial=${serial}${options}`)] })

const stick: SceneDisk = { name: 'stick', sizeMiB: 64, devices: [device('qemu-xhci', 'id=usb'), device('usb-storage', 'bus=usb.0', 'drive=$', 'serial=USB1', 'removable=on')] }
const uas: SceneDisk = { name: 'uas', sizeMiB: 64, devices: [device('usb-uas', 'id=uas', 'bus=usb.0'), device('scsi-hd', 'bus=uas.0', 'drive=$', 'serial=UAS1')] }
const card: SceneDisk = { name: 'card', sizeMiB: 64, devices: [device('sdhci-pci', 'id=sd'), device('sd-card', 'bus=sd-bus', 'drive=$')] }
/** One disk on two cables. */
const paths: SceneDisk = {
  name: 'paths',
  sizeMiB: 64,
  devices: ['one', 'two'].map((bus) => [...device('virtio-scsi-pci', `id=${bus}`), ...device('scsi-hd', `bus=${bus}.0`, 'drive=$', 'serial=MP1', 'wwn=0x5000c50015ea71aa', 'share-rw=on')]),
}
const optical: SceneDisk = { name: 'optical', sizeMiB: 64, drive: 'read-only=on', devices: [device('ide-cd', 'bus=ide.0', 'drive=$')] }
const writeProtected: SceneDisk = { name: 'protected', sizeMiB: 64, drive: 'read-only=on', devices: [device('virtio-blk-pci', 'drive=$', 'serial=RO1')] }
const used = 'nobody may lose this'

test('F1 a machine full of disks that must not be written refuses each job, says why, and loses no byte; nor when the disks swap names', { timeout: limitMs }, async () => {
  await mkdir(cache, { recursive: true })
  const directory = await mkdtemp(join(cache, 'danger-'))
  const signal = AbortSignal.timeout(limitMs)
  try {
    const appliance = join(cache, 'appliance')
    await prepareAppliance({ directory: appliance, offline: false, run, log: pino({ level: 'silent' }), onProgress: () => {}, signal })
    const result = `${directory}.json`
    const scene: DiskScene = {
      ...{ directory, appliance, result },
      machines: [
        {
          ...{ name: 'full', mac: '52:54:00:77:06:01' },
          disks: [stick, uas, card, paths, optical, writeProtected, nvme('small', 'N1', ',logical_block_size=4096,physical_block_size=4096', used)],
          jobs: [
            { id: 'any', rule: { minSizeBytes: 2 ** 25 } },
            { id: 'paths', rule: { serial: 'MP1' }, marks: ['MP1'] },
            { id: 'protected', rule: { serial: 'RO1' }, marks: ['RO1'] },
          ],
        },
        // The first disk of the one is the second of the other: what was /dev/sda is /dev/sdb.
        ...[['a', 'b'], ['b', 'a']].map((order, index) => ({
          ...{ name: `swap${index}`, mac: '52:54:00:77:06:02' },
          disks: order.map((name): SceneDisk => ({
            ...{ name, sizeMiB: 64, ...(name === 'b' ? { start: used } : {}) },
            devices: [[...device('virtio-scsi-pci', `id=bus${name}`), ...device('scsi-hd', `bus=bus${name}.0`, 'drive=$', `serial=DISK-${name}`)]],
          })),
          jobs: [
            { id: `any${index}`, rule: { minSizeBytes: 2 ** 25 } },
            { id: `b${index}`, rule: { serial: 'DISK-b' } },
          ],
        })),
      ],
    }
    const entry = join(import.meta.dirname, 'disk-danger/inside.ts')
    expect(await runInNamespace({ entry, args: [JSON.stringify(scene)], outside: false, signal, start })).toBe(0)
    const [full, ...swapped] = JSON.parse(await readFile(result, 'utf8')) as MachineOutcome[]
    await rm(result)

    expect([full!.changed, ...swapped.map(({ changed }) => changed)]).toEqual([[], [], []])
    const seen = full!.disks.map(({ transport, serial, removable, readOnly, logicalSectorBytes, contents }) => [transport, serial, removable, readOnly, logicalSectorBytes, contents.length])
    expect(seen).toEqual(
      expect.arrayContaining([
        ['usb', 'USB1', true, false, 512, 0],
        ['usb', 'UAS1', expect.any(Boolean), false, 512, 0],
        ['mmc', expect.any(String), true, false, 512, 0],
        ['virtio', 'RO1', false, true, 512, 0],
        ['nvme', 'N1', false, false, 4096, 1],
        ['scsi', 'MP1', false, false, 512, 0],
        ['scsi', 'MP1', false, false, 512, 0],
      ]),
    )
    expect(seen).toHaveLength(7)
    const { any, paths: multipath, protected: writeProtectedJob } = full!.jobs
    for (const { device: name } of full!.disks) expect(any!.refusal).toContain(`${name} (`)
    for (const reason of ['is attached by USB', 'is removable', 'is one of several paths to a disk', 'is read-only', 'holds data (data of no known kind, at its start)']) expect(any!.refusal).toContain(reason)
    expect(multipath!.refusal).toMatch(/^no disk fits: .*several paths.*several paths/)
    expect(writeProtectedJob!.refusal).toMatch(/serial RO1\): is read-only/)
    for (const { refusal, foretold } of Object.values(full!.jobs)) expect(foretold).toBe(`would write nothing: ${refusal}`)

    const names = swapped.map(({ disks }) => disks.find(({ serial }) => serial === 'DISK-b')!.device)
    expect(new Set(names)).toEqual(new Set(['/dev/sda', '/dev/sdb']))
    for (const [index, { jobs }] of swapped.entries()) {
      expect(jobs[`any${index}`]!.refusal).toMatch(/^2 disks fit where one must/)
      expect(jobs[`b${index}`]!.refusal).toContain(`${names[index]} (64 MiB, scsi, model QEMU HARDDISK, serial DISK-b) holds data`)
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
