import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { machineId, newClaim, openJobServer, type JobServer } from './job-server.ts'

let server: JobServer
beforeEach(async () => {
  server = await openJobServer()
})
afterEach(() => server.close())

const add = (payload: object) => server.operator('POST', '/jobs', { payload })

describe('POST /jobs', () => {
  test('takes a deployment with all the choices of a job', async () => {
    const deploy = { image: 'web', hostname: 'web-1', users: [{ name: 'ops' }], network: { addresses: 'dhcp' } }
    const answer = await add({ deploy, priority: 3, assignedTo: machineId })
    expect([answer.statusCode, answer.json()]).toEqual([201, expect.objectContaining({ deploy, priority: 3, assignedTo: machineId })])
    expect((await server.jobs.list())[0]).toMatchObject({ deploy, state: 'available' })
  })

  test.each<[payload: object, problem: string]>([
    [{}, 'expected a job with either recipe or deploy, got neither of them'],
    [{ recipe: 'r', deploy: { image: 'web' } }, 'expected a job with either recipe or deploy, got both of them'],
    [{ deploy: { image: 'web', sshKeys: ['x'] } }, 'deploy.sshKeys[0]: expected a public SSH key on one line, like "ssh-ed25519 AAAA… name", got "x"'],
    [{ deploy: { image: 'web', user: 'x' } }, 'deploy.user: expected a known key (nearest: users; all: image, version, disk, hostname, users, sshKeys, network), got user'],
  ])('refuses %j with the field that is wrong', async (payload, problem) => {
    const answer = await add(payload)
    expect([answer.statusCode, answer.json().problems]).toEqual([400, [problem]])
  })
})

test('B2 a deployment stands in jobs.json as a person would write it, and one that a person wrote is listed', async () => {
  await add({ id: 'a', deploy: { image: 'web', hostname: 'web-1' }, priority: 1 })
  const entries = [{ id: 'b', deploy: { image: 'web', version: 'web-1' } }]
  await writeFile(join(server.directory, 'jobs.json'), JSON.stringify({ version: 1, jobs: entries }))
  await vi.waitFor(async () => expect(await server.jobs.list()).toMatchObject(entries), 10_000)
})

describe('the system of a machine', () => {
  const path = `/machines/${machineId}/system`
  const system = { job: 'a', image: 'web', version: 'web-1', digest: `sha256:${'1'.repeat(64)}`, deployedAt: '2026-11-24T00:00:00Z' }
  const systemNow = async () => (await server.machines.read(machineId)).system

  test('F6 is told by its worker, shown with the machine, and gone with the next job that it claims', async () => {
    expect((await server.worker('PUT', path, { payload: system })).statusCode).toBe(204)
    expect((await server.operator('GET', '/machines.json')).json().machines).toMatchObject([{ id: machineId, system }])
    await server.machines.release('another')
    expect(await systemNow()).toEqual(system)
    await server.machines.release(machineId)
    expect(await systemNow()).toBeUndefined()
  })

  test('an operator gives the machine back', async () => {
    await server.worker('PUT', path, { payload: system })
    const answer = await server.operator('DELETE', path)
    expect([answer.statusCode, answer.json()]).toEqual([200, expect.not.objectContaining({ system: expect.anything() as object })])
    expect(await systemNow()).toBeUndefined()
  })

  test('is no business of another machine, and no text that could get into a boot script', async () => {
    const other = '/machines/52-54-00-00-00-02/system'
    for (const method of ['PUT', 'DELETE'] as const) {
      const answer = await server.worker(method, other, method === 'PUT' ? { payload: system } : {})
      expect([answer.statusCode, answer.json().title]).toEqual([403, `expected the credential of the machine 52-54-00-00-00-02, got that of ${machineId}`])
    }
    expect((await server.operator('PUT', path, { payload: system })).statusCode).toBe(403)
    expect((await server.worker('PUT', path, { payload: { ...system, version: 'x\nshell' } })).statusCode).toBe(400)
  })
})

test('a worker performs a deployment by saying so, in the words of HTTP', async () => {
  const claim = newClaim()
  await add({ id: 'a', deploy: { image: 'web' } })
  await server.claim('a', claim)
  // Every plan here makes an image, so that this is refused as it must be for such a job.
  const answer = await server.report('a', claim, { state: 'performed' })
  expect([answer.statusCode, answer.json().title]).toEqual([409, "job 'a' is performed once its image is received, and not by a report"])
})
