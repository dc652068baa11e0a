import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openLeaseFile } from '../../../../server/netboot/dhcp/lease-file.ts'

let directory: string
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), 'ingot-leases-'))))
afterEach(() => rm(directory, { recursive: true }))

const lease = { machine: '02-00-00-00-00-01', address: '10.77.0.100', expiresAt: 1795468800000 }
const { machine } = lease
const pathOf = () => join(directory, 'leases.ndjson')

it('keeps the leases in a file that a person can read', async () => {
  const file = openLeaseFile(pathOf())
  await file.save(machine, lease)
  expect(await readFile(pathOf(), 'utf8')).toBe(`{"version":1}\n${JSON.stringify(lease)}\n`)
  expect(await openLeaseFile(pathOf()).load()).toEqual([lease])
  await file.close()
})

it('no file yet means no leases', async () => expect(await openLeaseFile(pathOf()).load()).toEqual([]))

it('of several changes of a machine or an address the last one counts, also over a new start', async () => {
  const other = { ...lease, machine: '02-00-00-00-00-02' }
  let file = openLeaseFile(pathOf())
  for (const each of [lease, { ...lease, expiresAt: 1 }, { ...other, address: '10.77.0.101' }]) await file.save(each.machine, each)
  await file.close()
  file = openLeaseFile(pathOf())
  expect(await file.load()).toEqual([{ ...lease, expiresAt: 1 }, { ...other, address: '10.77.0.101' }])
  await file.save(other.machine, other)
  expect(await openLeaseFile(pathOf()).load()).toEqual([other])
  await file.save(other.machine, undefined)
  expect(await openLeaseFile(pathOf()).load()).toEqual([])
  await file.close()
})

it('every call is on disk when it resolves, also when many come at once', async () => {
  const file = openLeaseFile(pathOf())
  await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const one = { machine: `02-00-00-00-00-${index + 10}`, address: `10.77.0.${index}`, expiresAt: 1 }
      if (index % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
      await file.save(one.machine, one)
      expect(await openLeaseFile(pathOf()).load()).toContainEqual(one)
    }),
  )
  await file.close()
})

it('what a crash left of a line is nobody\'s lease, and the next one is whole', async () => {
  await writeFile(pathOf(), `{"version":1}\n${JSON.stringify(lease)}\n{"machine":"02-00-00-00-00-02","addr`)
  const file = openLeaseFile(pathOf())
  expect(await file.load()).toEqual([lease])
  const third = { ...lease, machine: '02-00-00-00-00-03', address: '10.77.0.103' }
  await file.save(third.machine, third)
  expect(await openLeaseFile(pathOf()).load()).toEqual([lease, third])
  await file.close()
})

it('does not grow with the changes, only with the leases', async () => {
  const file = openLeaseFile(pathOf())
  for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 5000 }, (_, index) => file.save(machine, { ...lease, expiresAt: index })))
  expect((await readFile(pathOf(), 'utf8')).split('\n').length).toBeLessThan(10_003)
  expect(await openLeaseFile(pathOf()).load()).toEqual([{ ...lease, expiresAt: 4999 }])
  await file.close()
})

it('a lease that cannot be kept is an error for each who waits', async () => {
  const file = openLeaseFile(pathOf())
  await rm(directory, { recursive: true })
  await writeFile(directory, 'a file where the folder was')
  await expect(file.save(machine, lease)).rejects.toThrow()
  await expect(file.save(machine, lease)).rejects.toThrow()
})

it.each([
  ['no JSON', '{"version":1}\n{\n', /damaged: line 2: .*JSON/],
  ['no address', '{"version":1}\n{"machine":"02-00-00-00-00-01","address":"10.77","expiresAt":1}\n', /damaged: line 2: \/address /],
  ['an unknown version', '{"version":2}\n', /damaged: line 1: expected \{"version":1\}/],
])('a damaged file is refused, with its path and the place: %s', async (_, text, message) => {
  await writeFile(pathOf(), text)
  await expect(openLeaseFile(pathOf()).load()).rejects.toThrow(message)
  await expect(openLeaseFile(pathOf()).load()).rejects.toMatchObject({
    code: 'config-invalid',
    message: expect.stringContaining(pathOf()) as string,
  })
})
