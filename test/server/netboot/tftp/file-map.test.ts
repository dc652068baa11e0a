import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { normaliseFileName, readBootFile } from '../../../../server/netboot/tftp/file-map.ts'

it.each([
  ['/snponly.efi', 'snponly.efi'],
  ['\\EFI\\snponly.efi', 'EFI/snponly.efi'],
  ['//grub//grub.cfg', 'grub/grub.cfg'],
  ['undionly.kpxe\xff', 'undionly.kpxe'],
  ['../../etc/passwd', '../../etc/passwd'],
])('%j is looked up as %j', (name, looked) => expect(normaliseFileName(name)).toBe(looked))

it('reads a file, and anew when another has taken its place', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-tftp-'))
  const path = join(directory, 'file')
  const read = async () => (await readBootFile({ path }, '10.77.0.100'))?.toString()
  await writeFile(path, 'abcdef')
  expect([await read(), await read()]).toEqual(['abcdef', 'abcdef'])
  await writeFile(`${path}.new`, 'ghijkl')
  await rename(`${path}.new`, path)
  expect(await read()).toBe('ghijkl')
  await rm(path)
  await expect(read()).rejects.toMatchObject({ code: 'ENOENT' })
  await rm(directory, { recursive: true })
})
