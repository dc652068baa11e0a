import { mkdtemp, rm, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openMachineStore } from '../../server/machine-store.ts'
import { inventory, machineId } from './http/job-server.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-machines-'))
})
afterEach(() => rm(directory, { recursive: true }))

test('a machine never heard of has no inventory, marks or labels, and is not on the list', async () => {
  const machines = openMachineStore(directory)
  expect(await machines.read(machineId)).toEqual({ id: machineId, scratchSerials: [], labels: {} })
  expect(await machines.list()).toEqual([])
})

test('inventory, labels and marks that come at the same time are all kept', async () => {
  const machines = openMachineStore(directory)
  await Promise.all([machines.record(inventory()), machines.label(machineId, { rack: 'b2' }), machines.markScratch(machineId, 'S1'), machines.markScratch(machineId, 'S1')])
  expect(await machines.list()).toMatchObject([{ id: machineId, inventory: { memoryBytes: 2 ** 31 }, labels: { rack: 'b2' }, scratchSerials: ['S1'] }])
  expect(await openMachineStore(directory).read(machineId)).toEqual(await machines.read(machineId))
})

test('what another program or a person changes in the file counts at the next look', async () => {
  const [machines, other] = [openMachineStore(directory), openMachineStore(directory)]
  await machines.label(machineId, { rack: 'b2' })
  expect((await machines.read(machineId)).labels).toEqual({ rack: 'b2' })
  await other.label(machineId, { rack: 'b3' })
  expect((await machines.read(machineId)).labels).toEqual({ rack: 'b3' })
  const path = join(directory, 'machines', `${machineId}.json`)
  await writeFile(path, (await readFile(path, 'utf8')).replace('b3', 'row-9'))
  expect((await machines.read(machineId)).labels).toEqual({ rack: 'row-9' })
  await rm(path)
  expect((await machines.read(machineId)).labels).toEqual({})
})

test('a file that a person broke is told with its place, and mended is read again', async () => {
  const machines = openMachineStore(directory)
  await machines.label(machineId, { rack: 'b2' })
  const path = join(directory, 'machines', `${machineId}.json`)
  await writeFile(path, '{\n  "lables": {}\n}')
  await expect(machines.read(machineId)).rejects.toMatchObject({ code: 'data-invalid', problems: [`${path}:2:3: lables: expected a known key (nearest: labels; all: inventory, seenAt, admission, scratchSerials, labels, system), got lables`] })
  await writeFile(path, '{}')
  expect((await machines.read(machineId)).labels).toEqual({})
})
