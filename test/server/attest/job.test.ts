import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Verdict } from '../../../server/attest/verify-image.ts'
import { machine, openJobServer, until } from '../../appliance/worker/job-server.ts'
import { digestOf, filled, makeSample, sampleConfig } from '../image-store/sample-image.ts'
import { ingotImage } from './signed-image.ts'

/** Takes a job and delivers an image for it, as a worker does. */
async function perform(server: Awaited<ReturnType<typeof openJobServer>>, job: string, recipe = { name: 'r', digest: 'sha256:00' }): Promise<void> {
  const token = await server.tokens.create({ role: 'worker', name: machine })
  const claim = randomBytes(32).toString('base64url')
  const ask = async (method: string, path: string, headers: Record<string, string>, body?: Buffer<ArrayBuffer>) => {
    const response = await fetch(`${server.url}${path}`, { method, headers: { authorization: `Bearer ${token}`, 'ingot-claim': claim, 'ingot-job': job, ...headers }, ...(body === undefined ? {} : { body }) })
    expect([path, response.status]).toEqual([path, 201])
  }
  await ask('PUT', `/status/${job}.json`, { 'if-none-match': '*', 'content-type': 'application/json' }, Buffer.from('{}'))
  const { blobs, bytes } = makeSample([filled(0, 1)], sampleConfig({ recipe, job, packages: [{ name: 'nginx', version: '1.22.1-9' }] }))
  for (const blob of blobs) await ask('POST', `/v2/r/blobs/uploads/?digest=${digestOf(blob)}`, {}, blob)
  await ask('PUT', `/v2/r/manifests/${job}`, {}, bytes)
  await until(async () => ((await server.ask('GET', '/performed.json')) as { jobs: { job: { id: string } }[] }).jobs.some((ended) => ended.job.id === job))
}

test('B10 F2 the image of a job is signed with all that belongs to it once it is visible, and verifies', { timeout: 60_000 }, async () => {
  const server = await openJobServer()
  await server.addJob({ id: 'web-1' })
  await perform(server, 'web-1')
  const { code, lines } = await ingotImage(['verify', 'r:web-1', '--data', server.directory, '--json'])
  const { findings } = JSON.parse(lines[0]!) as Verdict
  expect([code, findings.map(({ part, tells, problems }) => [part, tells, problems])]).toEqual([
    0,
    [
      ['content', expect.stringContaining('2 blobs'), []],
      ['signature', expect.stringMatching(/^by the key sha256:/), []],
      ['provenance', expect.stringMatching(`^recipe r, job web-1, machine ${machine}, built `), []],
      ['sbom', 'SPDX-2.3, packages: 1', []],
      ['proof', 'none: the recipe asks for no proof, the image was published as it came', []],
    ],
  ])
})

test('what a worker says of itself in an image does not become what the server signs', { timeout: 60_000 }, async () => {
  const server = await openJobServer()
  await server.addJob({ id: 'web-1' })
  await perform(server, 'web-1', { name: 'hardened', digest: `sha256:${'c'.repeat(64)}` })
  const { code, lines } = await ingotImage(['verify', 'r', '--data', server.directory])
  expect([code, lines.find((line) => line.includes('provenance'))]).toEqual([
    1,
    expect.stringMatching(/^✗ provenance +it is that of another image: expected \{"image":"r","recipe":\{"name":"hardened",.*got \{"image":"r","recipe":\{"name":"r",/),
  ])
})
