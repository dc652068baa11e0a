import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { start } from '../../../appliance/run.ts'
import { holdDirectory } from '../../../server/demo/hold-directory.ts'

const directory = `/tmp/held-${process.pid}`

test('a directory is held by one at a time, and free again when let go', async () => {
  const letGo = await holdDirectory(directory)
  await expect(holdDirectory(directory)).rejects.toThrow(`another demo runs in ${directory}`)
  letGo()
  ;(await holdDirectory(directory))()
})

test('a process that is killed leaves it free', async () => {
  const module = fileURLToPath(new URL('../../../server/demo/hold-directory.ts', import.meta.url))
  const script = `await (await import(${JSON.stringify(module)})).holdDirectory(${JSON.stringify(directory)}); console.error('held'); setInterval(() => {}, 1000)`
  const held = Promise.withResolvers<void>()
  const other = await start(process.execPath, ['--input-type=module', '--eval', script], { onErrorLine: (line) => line === 'held' && held.resolve() })
  await held.promise
  await expect(holdDirectory(directory)).rejects.toThrow('another demo runs')
  other.kill('SIGKILL')
  await other.ended
  ;(await holdDirectory(directory))()
})
