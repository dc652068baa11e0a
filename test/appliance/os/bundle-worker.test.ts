import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bundleWorker } from '../../../appliance/os/bundle-worker.ts'
import { run } from '../../../appliance/run.ts'

const appliance = resolve(import.meta.dirname, '../../../appliance')
let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-bundle-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** Bundles a program of those lines and runs the bundle; gives what it said. */
async function runBundle(...lines: string[]): Promise<string> {
  const entry = join(directory, 'entry.ts')
  await writeFile(entry, lines.join('\n'))
  for (const [name, bytes] of await bundleWorker(entry, '1.2.3')) await writeFile(join(directory, name), bytes)
  return run(process.execPath, [join(directory, 'worker.mjs')])
}

describe('bundleWorker', () => {
  it('gives the entry its version', async () => {
    expect(await runBundle('declare const __INGOT_VERSION__: string', 'console.log(__INGOT_VERSION__)')).toBe('1.2.3')
  })

  it("loads of Node's modules only what the program uses", async () => {
    const loaded = await runBundle(
      "import { request } from 'node:http'",
      "console.log(typeof request, process.moduleLoadList.includes('NativeModule http'), process.moduleLoadList.filter((name) => /undici|http2|tls/.test(name)))",
    )
    expect(loaded).toBe('function true []')
  })

  it('splits off what is imported in functions', async () => {
    await writeFile(join(directory, 'later.ts'), "import { EOL } from 'node:os'\nexport const later = EOL")
    expect(await runBundle("const { later } = await import('./later.ts')", 'console.log(JSON.stringify(later))')).toBe(String.raw`"\n"`)
  })

  it("the worker's log is a line of JSON for each entry, with the stack of an error and the fields of its parent", async () => {
    const output = await runBundle(
      `import { createConsoleLog } from '${appliance}/worker/console-log.ts'`,
      "createConsoleLog().child({ job: 'web' }).error({ err: new Error('no disk') }, 'job failed')",
    )
    expect(JSON.parse(output)).toMatchObject({
      ...{ level: 50, job: 'web', msg: 'job failed', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) },
      err: { type: 'Error', stack: expect.stringMatching(/^Error: no disk\n.*worker\.mjs/) },
    })
  })
})
