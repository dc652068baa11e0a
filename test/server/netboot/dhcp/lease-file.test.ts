import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openLeaseFile } from '../../../../server/netboot/dhcp/lease-file.ts'

let directory: string
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), 'ingot-leases-'))))
afterEach(() => rm(directory, { recursive: true }))

const leases = [{ machine: '02-00-00-00-00-01', address: '10.77.0.100', expiresAt: 1795468800000 }]

it('keeps the leases in a file that a person can read', async () => {
  const path = join(directory, 'leases.json')
  await openLeaseFile(path).save(() => leases)
  expect(await readFile(path, 'utf8')).toContain('"machine": "02-00-00-00-00-01"')
  expect(await openLeaseFile(path).load()).toEqual(leases)
})

it('no file yet means no leases', async () => expect(await openLeaseFile(join(directory, 'leases.json')).load()).toEqual([]))

it('every call is on disk when it resolves, also when many come at once', async () => {
  const path = join(directory, 'leases.json')
  const file = openLeaseFile(path)
  const current: typeof leases = []
  await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const lease = { machine: '02-00-00-00-00-01', address: `10.77.0.${index}`, expiresAt: 1 }
      if (index % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
      current.push(lease)
      await file.save(() => current)
      expect((await openLeaseFile(path).load()).map(({ address }) => address)).toContain(lease.address)
    }),
  )
})

it('a lease that cannot be kept is an error for each who waits', async () => {
  const file = openLeaseFile(join(directory, 'leases.json'))
  await rm(directory, { recursive: true })
  await writeFile(directory, 'a file where the folder was')
  await expect(file.save(() => leases)).rejects.toThrow()
  await expect(file.save(() => leases)).rejects.toThrow()
})

it.each([
  ['no JSON', '{', /damaged: .*JSON/],
  [
    'no address',
    '{"version":1,"leases":[{"machine":"02-00-00-00-00-01","address":"10.77","expiresAt":1}]}',
    /damaged: \/leases\/0\/address /,
  ],
  ['an unknown version', '{"version":2,"leases":[]}', /damaged: \/version /],
])('a damaged file is refused, with its path and the place: %s', async (_, text, message) => {
  const path = join(directory, 'leases.json')
  await writeFile(path, text)
  await expect(openLeaseFile(path).load()).rejects.toThrow(message)
  await expect(openLeaseFile(path).load()).rejects.toMatchObject({
    code: 'config-invalid',
    message: expect.stringContaining(path) as string,
  })
})
