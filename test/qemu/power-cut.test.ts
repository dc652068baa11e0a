import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { run, start } from '../../appliance/run.ts'
import { prepareAppliance } from '../../server/demo/prepare-appliance.ts'
import { runInNamespace } from '../../server/rack/namespace.ts'
import type { PowerCut, PowerCutResult } from './power-cut/inside.ts'

const cache = join(import.meta.dirname, '../../.ingot')
const limitMs = 40 * 60_000

test('F4 a machine that loses its power in the middle of a job costs the job nothing but time: another machine of the rack finishes it', { timeout: limitMs }, async () => {
  await mkdir(cache, { recursive: true })
  const directory = await mkdtemp(join(cache, 'power-cut-'))
  const signal = AbortSignal.timeout(limitMs)
  try {
    const appliance = join(cache, 'appliance')
    await prepareAppliance({ directory: appliance, offline: false, run, log: pino({ level: 'silent' }), onProgress: () => {}, signal })
    const result = `${directory}.json`
    const scene: PowerCut = { directory, appliance, earlier: join(cache, 'demo/data'), result }
    const entry = join(import.meta.dirname, 'power-cut/inside.ts')
    expect(await runInNamespace({ entry, args: [JSON.stringify(scene)], outside: true, signal, start })).toBe(0)
    const { machines, jobs } = JSON.parse(await readFile(result, 'utf8')) as PowerCutResult
    await rm(result)
    const [cut] = machines
    expect(jobs.first).toMatchObject({ end: 'performed', attempts: [{ attempt: 1, worker: cut, loss: 'silent' }], status: { state: 'performed', attempt: 2 } })
    expect(jobs.second).toMatchObject({ end: 'performed', attempts: [], status: { state: 'performed', attempt: 1 } })
    // Each of the two other machines did one.
    expect(new Set([cut, jobs.first.status?.worker, jobs.second.status?.worker])).toEqual(new Set(machines))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
