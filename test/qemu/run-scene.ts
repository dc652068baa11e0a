import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect } from 'vitest'
import { run, start } from '../../appliance/run.ts'
import { prepareAppliance } from '../../server/demo/prepare-appliance.ts'
import { runInNamespace } from '../../server/rack/namespace.ts'

const cache = join(import.meta.dirname, '../../.ingot')

/** What every scene in a rack begins with. */
export interface Scene {
  /** An empty directory. */
  directory: string
  /** Where the built appliance is. */
  appliance: string
  /** Data directory of an earlier first computer, whose components, packages and images save making them anew. */
  earlier: string
  /** File that what came of it is written to, as JSON. */
  result: string
}

/** Plays a scene in namespaces of its own and returns what came of it; `<name>/inside.ts` is the program that runs there. */
export async function runScene<Own extends Scene, Result>(name: string, own: Omit<Own, keyof Scene>, limitMs: number): Promise<Result> {
  await mkdir(cache, { recursive: true })
  const directory = await mkdtemp(join(cache, `${name}-`))
  const result = `${directory}.json`
  const signal = AbortSignal.timeout(limitMs)
  try {
    const appliance = join(cache, 'appliance')
    await prepareAppliance({ directory: appliance, offline: false, run, log: pino({ level: 'silent' }), onProgress: () => {}, signal })
    const scene: Scene = { ...own, directory, appliance, earlier: join(cache, 'demo/data'), result }
    const entry = join(import.meta.dirname, name, 'inside.ts')
    expect(await runInNamespace({ entry, args: [JSON.stringify(scene)], outside: true, signal, start })).toBe(0)
    return JSON.parse(await readFile(result, 'utf8')) as Result
  } finally {
    await rm(directory, { recursive: true, force: true })
    await rm(result, { force: true })
  }
}
