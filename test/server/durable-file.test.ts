import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createFile, dropAbandoned, replaceFile } from '../../server/durable-file.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-files-'))
})
afterEach(() => rm(directory, { recursive: true }))

test('of fifty that create one file at once, one is told that it did, and its content stands', async () => {
  const path = join(directory, 'status', 'job.json')
  const made = await Promise.all(Array.from({ length: 50 }, (_, index) => createFile(path, `writer ${index}`)))
  expect(made.filter(Boolean)).toHaveLength(1)
  expect(await readFile(path, 'utf8')).toBe(`writer ${made.indexOf(true)}`)
  expect(await readdir(join(directory, 'status'))).toEqual(['job.json'])
})

test('a reader never sees a half while a file is replaced', async () => {
  const path = join(directory, 'jobs.json')
  const contents = ['a', 'b'].map((letter) => letter.repeat(200_000))
  await replaceFile(path, contents[0]!)
  let writing = true
  const seen = new Set<string>()
  const reader = (async () => {
    while (writing) seen.add(await readFile(path, 'utf8'))
  })()
  for (let round = 0; round < 50; round++) await replaceFile(path, contents[round % 2]!)
  writing = false
  await reader
  expect([...seen].filter((text) => !contents.includes(text))).toEqual([])
  expect(seen.size).toBeGreaterThan(0)
})

test('what cannot be written leaves nothing behind', async () => {
  await replaceFile(join(directory, 'target', 'inner'), 'x')
  await expect(replaceFile(join(directory, 'target'), 'y')).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/)
  expect(await readdir(directory)).toEqual(['target'])
})

test('the half file of a killed writer is removed, one that is just being written is not', async () => {
  const names = ['jobs.json', 'jobs.json.0123456789ab.tmp', 'jobs.json.ba9876543210.tmp', 'notes.tmp']
  for (const name of names) await writeFile(join(directory, name), 'x')
  const anHourAgo = new Date(Date.now() - 3_600_000)
  for (const name of names.filter((each) => each !== 'jobs.json.ba9876543210.tmp')) await utimes(join(directory, name), anHourAgo, anHourAgo)
  await dropAbandoned(directory)
  expect((await readdir(directory)).sort()).toEqual(names.filter((name) => name !== 'jobs.json.0123456789ab.tmp'))
})
