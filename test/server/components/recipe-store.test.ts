import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRecipeStore } from '../../../server/components/recipe-store.ts'

const shipped = join(import.meta.dirname, '../../../images/recipes')

let own: string
beforeEach(async () => {
  own = await mkdtemp(join(tmpdir(), 'ingot-recipes-'))
  await cp(join(shipped, 'debian-12'), join(own, 'debian-12'), { recursive: true })
})
afterEach(() => rm(own, { recursive: true }))

const edit = async (from: string, to: string) => {
  const path = join(own, 'debian-12/recipe.yaml')
  const text = await readFile(path, 'utf8')
  expect(text).toContain(from)
  await writeFile(path, text.replace(from, to))
}

test('recipes of all folders are listed, and the first folder wins', async () => {
  const recipes = createRecipeStore([own, shipped])
  expect(await recipes.names()).toEqual(['debian-12', 'debian-12-nginx'])
  await edit('size: 4GiB', 'size: 8GiB')
  expect((await recipes.load('debian-12')).recipe.disk.size).toBe('8GiB')
})

test('a recipe comes with the files that it names', async () => {
  const { files } = await createRecipeStore([own]).load('debian-12')
  expect([...files.keys()]).toEqual(['hosts', 'dhcp.network', 'configure.sh'])
  expect(files.get('hosts')?.toString()).toContain('localhost')
})

test('any change of the recipe or of its files changes its digest', async () => {
  const digest = async () => (await createRecipeStore([own]).load('debian-12')).digest
  const digests = [await digest(), await digest()]
  await writeFile(join(own, 'debian-12/hosts'), '127.0.0.1 localhost\n')
  digests.push(await digest())
  await edit('description: ', 'description: My ')
  digests.push(await digest())
  expect(digests[0]).toBe(digests[1])
  expect(new Set(digests).size).toBe(3)
})

test('an unknown recipe is refused with the nearest name', async () => {
  await expect(createRecipeStore([shipped]).load('debian-21')).rejects.toMatchObject({
    code: 'recipe-unknown',
    message: 'expected the name of a recipe (nearest: debian-12; all: debian-12, debian-12-nginx), got debian-21',
  })
})

test('every problem of a recipe is told with its file, line and column', async () => {
  await edit('architecture: amd64', 'architecture: i386')
  await edit('size: 4GiB', 'size: big')
  const path = join(own, 'debian-12/recipe.yaml')
  await expect(createRecipeStore([own]).load('debian-12')).rejects.toMatchObject({
    code: 'recipe-invalid',
    message: 'recipe debian-12 cannot be built: 2 problems',
    problems: [expect.stringContaining(`${path}:3:15: architecture: `), expect.stringContaining(`${path}:8:9: disk.size: `)],
  })
})

test('a recipe whose file is not there is refused', async () => {
  await rm(join(own, 'debian-12/hosts'))
  await expect(createRecipeStore([own]).load('debian-12')).rejects.toMatchObject({
    code: 'recipe-invalid',
    problems: [expect.stringMatching(/expected the file hosts beside it, got: ENOENT/)],
  })
})

test('a recipe is named as its folder is', async () => {
  await edit('name: debian-12\n', 'name: debian-13\n')
  await expect(createRecipeStore([own]).load('debian-12')).rejects.toMatchObject({
    problems: [expect.stringContaining('name: expected debian-12, the name of its folder, got debian-13')],
  })
})
