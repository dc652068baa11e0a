import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { openJobServer } from '../../appliance/worker/job-server.ts'
import { openMaster } from '../master/open-master.ts'

describe('GET /healthz and /readyz', () => {
  test('are open, and a server with all it needs is up and ready', async () => {
    const { url } = await openJobServer()
    const [health, ready] = await Promise.all([fetch(`${url}/healthz`), fetch(`${url}/readyz`)])
    expect([health.status, await health.json()]).toEqual([200, { status: 'up' }])
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready', checks: ['data directory', 'job list', 'image store'] }])
  })

  test('a server whose image store is not there is up and not ready, and tells no more than which', async () => {
    const { url, directory } = await openJobServer()
    await rename(join(directory, 'images'), join(directory, 'away'))
    await mkdir(join(directory, 'images'))
    await writeFile(join(directory, 'images/index.json'), 'no JSON')
    await vi.waitFor(async () => {
      const answer = await fetch(`${url}/readyz`)
      expect([answer.status, ((await answer.json()) as { problems?: string[] }).problems]).toEqual([503, ['image store: not there; the log of the server tells why']])
    }, 10_000)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  test('a master is ready as long as one first computer answers it', async () => {
    const first = await openJobServer()
    const master = await openMaster({ one: first })
    expect((await fetch(`${master.url}/readyz`)).status).toBe(200)
    await first.stop()
    await vi.waitFor(async () => {
      await master.operator('GET', '/jobs.json')
      expect((await fetch(`${master.url}/readyz`)).status).toBe(503)
    }, 20_000)
  })
})

describe('GET /metrics', () => {
  test('needs a token, and then tells of requests and claims', async () => {
    const { url, tokens, addJob } = await openJobServer()
    expect((await fetch(`${url}/metrics`)).status).toBe(401)
    await addJob({ id: 'a' })
    const worker = { authorization: `Bearer ${await tokens.create({ role: 'worker', name: 'w1' })}`, 'content-type': 'application/json' }
    const claim = () => fetch(`${url}/status/a.json`, { method: 'PUT', headers: { ...worker, 'if-none-match': '*' }, body: '{}' })
    expect([(await claim()).status, (await claim()).status]).toEqual([201, 412])
    const operator = { authorization: `Bearer ${await tokens.create({ role: 'operator', name: 'prometheus' })}` }
    await vi.waitFor(async () => {
      const answer = await fetch(`${url}/metrics`, { headers: operator })
      expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
      const text = await answer.text()
      expect(text).toContain('ingot_claim_duration_seconds_count{result="claimed"} 1\n')
      expect(text).toContain('ingot_claim_duration_seconds_count{result="taken"} 1\n')
      expect(text).toContain('ingot_http_request_duration_seconds_count{method="GET",route="/metrics",status="401"} 1\n')
      expect(text).toContain('ingot_jobs{state="selected"} 1\n')
    }, 10_000)
  })

  test('of a master tells the jobs of all first computers, and which answer', async () => {
    const [one, two] = [await openJobServer(), await openJobServer()]
    await one.addJob({ id: 'a' })
    await two.addJob({ id: 'b' })
    const master = await openMaster({ one, two })
    await two.stop()
    await vi.waitFor(async () => {
      const { body } = await master.operator('GET', '/metrics')
      expect(body).toContain('ingot_jobs{state="available"} 1\n')
      expect(body).toContain('ingot_first_computer_up{name="one"} 1\n')
      expect(body).toContain('ingot_first_computer_up{name="two"} 0\n')
    }, 20_000)
  })
})
