import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { run, start } from '../../../appliance/run.ts'
import { createProgram } from '../../../server/commands/create-program.ts'

/** What `ingot` prints for these arguments. */
async function printed(...args: string[]): Promise<string[]> {
  const lines: string[] = []
  const context = { run, start, log: pino({ level: 'silent' }), print: (line: string) => void lines.push(line), output: new Writable(), say: () => {}, signal: new AbortController().signal, env: {}, columns: undefined, exit: () => {} }
  await createProgram(context).parseAsync(args, { from: 'user' })
  return lines
}

test('ingot recipe list shows the recipes that ship with Ingot', async () => {
  const lines = await printed('recipe', 'list')
  expect(lines.map((line) => line.split(/ +/)[0])).toEqual(['RECIPE', 'debian-12', 'debian-12-nginx'])
})

test('ingot recipe plan shows the layout of the disk and every step', async () => {
  const lines = await printed('recipe', 'plan', 'debian-12')
  expect(lines[0]).toBe('debian-12, boots with bios and uefi')
  expect(lines).toContainEqual(expect.stringMatching(/^3 +root +[\d.]+ GiB +ext4 +\/$/))
  expect(lines).toContainEqual(expect.stringMatching(/^2 +install-rootfs +rootfs$/))
  expect(lines.at(-1)).toMatch(/^\d+ +image +debian-12$/)
  const [plan] = await printed('recipe', 'plan', 'debian-12', '--json')
  expect(JSON.parse(plan!)).toMatchObject({ version: 1, recipe: { name: 'debian-12' } })
})

test('ingot recipe check tells of any folder what is wrong in it, and of a good one its digest', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-recipe-'))
  const folder = join(directory, 'web')
  await mkdir(folder)
  await writeFile(join(folder, 'recipe.yaml'), 'name: web\narchitecture: z80\n')
  await expect(printed('recipe', 'check', folder)).rejects.toMatchObject({ code: 'recipe-invalid', problems: expect.arrayContaining([expect.stringMatching(/recipe\.yaml:2.*architecture: expected /)]) as string[] })
  await rm(directory, { recursive: true })
  expect(await printed('recipe', 'check', 'debian-12')).toEqual([expect.stringMatching(/^debian-12: in order, sha256:[0-9a-f]{64}$/)])
})
