import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run, start } from '../../../appliance/run.ts'
import type { Disk } from '../../../server/api/machine.ts'
import { createRecipeStore } from '../../../server/components/recipe-store.ts'
import { addMachine } from '../../../server/commands/machine.ts'
import { createApp } from '../../../server/http/app.ts'
import { machineDiskRoutes } from '../../../server/http/routes/machine-disks.ts'
import { tokenAuthorize } from '../../../server/http/token-authorize.ts'
import { openImageStore, type ImageStore } from '../../../server/image-store/open-image-store.ts'
import { createFindDiskTarget } from '../../../server/jobs/find-disk-target.ts'
import { openMachineStore, type MachineStore } from '../../../server/machine-store.ts'
import { openTokens } from '../../../server/tokens.ts'
import { filled, sampleConfig, storeSample } from '../image-store/sample-image.ts'
import { inventory, machineId, plan } from './job-server.ts'

const recipes = createRecipeStore([join(import.meta.dirname, '../../../images/recipes')])
const disk = (fields: Partial<Disk> = {}): Disk => ({
  ...{ device: '/dev/sda', sizeBytes: 480e9, logicalSectorBytes: 512, model: 'Samsung', serial: 'S4 ew/1', wwn: '', transport: 'sata' },
  ...{ removable: false, readOnly: false, contents: ['ext4 filesystem "data"'] },
  ...fields,
})
const marked = `/machines/${machineId}/scratch/${encodeURIComponent('S4 ew/1')}`

let directory: string
let machines: MachineStore
let images: ImageStore
let url: string
let close: () => Promise<void>
let credentials: { operator: string; viewer: string; worker: string }
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-machine-disks-'))
  machines = openMachineStore(directory)
  images = await openImageStore(join(directory, 'images'))
  const tokens = openTokens(directory)
  const app = createApp({ log: pino({ level: 'silent' }) })
  const planOf = async (job: string) => (job === 'a' ? { ...plan, steps: [{ kind: 'partition' as const, disk: { minSizeBytes: 1e12 }, diskSizeBytes: 2 ** 30, diskGuid: '', partitions: [] }] } : plan)
  await app.register(machineDiskRoutes, { machines, authorize: tokenAuthorize(tokens), findTarget: createFindDiskTarget({ recipes, images, planOf }) })
  url = await app.listen({ host: '127.0.0.1', port: 0 })
  close = () => app.close()
  credentials = { operator: await tokens.create({ role: 'operator', name: 'ci' }), viewer: await tokens.create({ role: 'viewer', name: 'wall' }), worker: await tokens.create({ role: 'worker', name: machineId }) }
})
afterEach(async () => {
  await close()
  images.close()
  await rm(directory, { recursive: true })
})

const ask = async (method: string, path: string, role: keyof typeof credentials = 'operator') => {
  const response = await fetch(`${url}${path}`, { method, headers: { authorization: `Bearer ${credentials[role]}` } })
  return { status: response.status, body: (await response.json()) as any }
}
const seen = (...disks: Disk[]) => machines.record(inventory({ disks }))
const planFor = (query: string) => ask('GET', `/machines/${machineId}/plan?${query}`)

/** Runs the command as `main.ts` does, on the real server. */
async function ingot(...args: string[]): Promise<{ printed: string[]; code: number }> {
  const printed: string[] = []
  let code = 0
  const context = {
    ...{ run, start, log: pino({ level: 'silent' }), output: process.stdout, say: () => {}, signal: new AbortController().signal, columns: undefined },
    print: (line: string) => void printed.push(line),
    exit: (given: number) => void (code = given),
    env: { INGOT_SERVER: url, INGOT_TOKEN: credentials.operator },
  }
  const program = new Command('ingot').exitOverride().configureOutput({ writeErr: () => {} })
  addMachine(program, context)
  await program.parseAsync(['machine', ...args], { from: 'user' })
  return { printed, code }
}

describe('marks', () => {
  test('F1 an operator marks a disk by its serial number, whatever characters it has, and takes the mark away', async () => {
    await seen(disk())
    expect(await ask('PUT', marked)).toMatchObject({ status: 200, body: { id: machineId, scratchSerials: ['S4 ew/1'] } })
    expect((await machines.read(machineId)).scratchSerials).toEqual(['S4 ew/1'])
    expect(await ask('DELETE', marked)).toMatchObject({ status: 200, body: { scratchSerials: [] } })
    expect(await ask('DELETE', marked)).toMatchObject({ status: 200, body: { scratchSerials: [] } })
  })

  test('F1 a serial number that no disk of the machine has is refused, telling those that it has; case and spaces count', async () => {
    await seen(disk(), disk({ device: '/dev/sdb', serial: '' }))
    for (const serial of ['S4 EW/1', 'S4ew/1']) {
      expect(await ask('PUT', `/machines/${machineId}/scratch/${encodeURIComponent(serial)}`)).toMatchObject({
        status: 409,
        body: { title: `serial: expected that of a disk of ${machineId} as the disk tells it (S4 ew/1 (/dev/sda)), got '${serial}'` },
      })
    }
    expect((await machines.read(machineId)).scratchSerials).toEqual([])
  })

  test('a disk of a machine that was not seen yet may be marked', async () => {
    expect(await ask('PUT', marked)).toMatchObject({ status: 200, body: { scratchSerials: ['S4 ew/1'] } })
  })

  test('F1 a worker marks nothing and is foretold nothing, a viewer marks nothing', async () => {
    for (const [method, path] of [['PUT', marked], ['DELETE', marked], ['GET', `/machines/${machineId}/plan?recipe=debian-12`]] as const) expect((await ask(method, path, 'worker')).status).toBe(403)
    for (const method of ['PUT', 'DELETE']) expect((await ask(method, marked, 'viewer')).status).toBe(403)
    await seen(disk())
    expect(await ask('GET', `/machines/${machineId}/plan?recipe=debian-12`, 'viewer')).toMatchObject({ status: 200, body: { verdict: 'refused' } })
  })

  test('the command marks and unmarks by way of the server', async () => {
    await seen(disk())
    expect(await ingot('scratch', '52:54:00:00:00:01', 'S4 ew/1')).toEqual({ code: 0, printed: [`${machineId}: jobs may overwrite the disk S4 ew/1`] })
    expect(await ingot('scratch', machineId, 'S4 ew/1', '--unmark', '--json')).toEqual({ code: 0, printed: [JSON.stringify({ id: machineId, serial: 'S4 ew/1', scratch: false })] })
    await expect(ingot('scratch', machineId, 'other')).rejects.toThrow("expected that of a disk of 52-54-00-00-00-01 as the disk tells it (S4 ew/1 (/dev/sda)), got 'other'")
    await ingot('scratch', machineId, 'S4 ew/1', '--data', directory)
    expect((await machines.read(machineId)).scratchSerials).toEqual(['S4 ew/1'])
  })
})

describe('what a job would erase', () => {
  test('follows from inventory, recipe and marks', async () => {
    await seen(disk())
    expect(await planFor('recipe=debian-12')).toMatchObject({ status: 200, body: { purpose: 'recipe debian-12', verdict: 'refused', summary: expect.stringContaining('S4 ew/1 is not marked as scratch') } })
    await machines.markScratch(machineId, 'S4 ew/1')
    expect((await planFor('recipe=debian-12')).body).toMatchObject({
      ...{ machine: machineId, verdict: 'erase', device: '/dev/sda', seenAt: expect.any(String), target: { rule: { minSizeBytes: 4 * 2 ** 30 } } },
      summary: 'would erase Samsung S/N S4 ew/1, 480 GB (/dev/sda, sata), holding ext4 filesystem "data"',
    })
  })

  test('follows from an image, its newest version or another, and the rule that is given', async () => {
    const { bytes } = await storeSample(images, [filled(0, 1)], sampleConfig({ firmware: ['uefi'] }), 'web')
    await images.publish('web', 'web-1', bytes)
    await seen(disk({ contents: [] }))
    expect((await planFor('image=web')).body).toMatchObject({ purpose: 'image web:web-1', verdict: 'refused', summary: expect.stringContaining('web:web-1 boots with uefi only') })
    await machines.record(inventory({ firmware: 'uefi', disks: [disk({ contents: [] }), disk({ device: '/dev/nvme0n1', serial: 'N1', transport: 'nvme', contents: [] })] }))
    expect((await planFor('image=web&version=web-1')).body).toMatchObject({ verdict: 'refused', summary: expect.stringContaining('2 disks fit') })
    expect((await planFor('image=web&transport=nvme')).body).toMatchObject({ verdict: 'erase', device: '/dev/nvme0n1' })
    expect(await planFor('image=web&version=web-2')).toMatchObject({ status: 400 })
  })

  test('follows from the script of a job on the list', async () => {
    await seen(disk({ contents: [] }))
    expect((await planFor('job=a')).body).toMatchObject({ purpose: 'job a', verdict: 'refused', summary: expect.stringContaining('is smaller than 931.3 GiB') })
    expect(await planFor('job=b')).toMatchObject({ status: 409, body: { title: "job 'b' writes to no disk" } })
  })

  test.each([
    ['', 400, 'expected one of recipe, image and job, got none or several of them'],
    ['recipe=debian-12&job=a', 400, 'expected one of recipe, image and job, got none or several of them'],
    ['recipe=debian-12&serial=S1', 400, 'serial: expected only with an image, got it without one'],
    ['recipe=debian-13', 400, 'expected the name of a recipe (nearest: debian-12'],
    ['recipe=debian-12', 404, `the machine ${machineId} has not told of its disks yet: boot it from here once`],
  ])('?%s is refused with %i and the reason', async (query, status, reason) => {
    const answer = await planFor(query)
    expect([answer.status, answer.body.title]).toEqual([status, expect.stringContaining(reason)])
  })

  test('the command tells it in words, for each disk, and by its exit code', async () => {
    await seen(disk(), disk({ device: '/dev/sdb', serial: 'U\u001b[2J1', transport: 'usb', contents: [] }))
    const refused = await ingot('plan', machineId, 'debian-12')
    expect(refused.code).toBe(1)
    expect(refused.printed[0]).toMatch(/^52-54-00-00-00-01, recipe debian-12: would write nothing: \/dev\/sda .* holds data/)
    await machines.markScratch(machineId, 'S4 ew/1')
    const { code, printed } = await ingot('plan', machineId, 'debian-12')
    expect([code, printed]).toEqual([
      0,
      [
        `${machineId}, recipe debian-12: would erase Samsung S/N S4 ew/1, 480 GB (/dev/sda, sata), holding ext4 filesystem "data"`,
        '  /dev/sda  Samsung  S/N S4 ew/1  scratch  ERASED',
        '  /dev/sdb  Samsung  S/N U1  kept: is attached by USB',
        expect.stringMatching(/^ {2}as the machine told of its disks at /),
      ],
    ])
    expect(JSON.parse((await ingot('plan', machineId, 'debian-12', '--json')).printed[0]!)).toMatchObject({ verdict: 'erase' })
    expect((await ingot('plan', machineId, '--job', 'a')).code).toBe(1)
    await expect(ingot('plan', machineId)).rejects.toThrow('expected one of a recipe, --image and --job, got none or several of them')
  })
})
