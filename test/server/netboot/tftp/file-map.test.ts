import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { normaliseFileName, openBootFile } from '../../../../server/netboot/tftp/file-map.ts'

it.each([
  ['/snponly.efi', 'snponly.efi'],
  ['\\EFI\\snponly.efi', 'EFI/snponly.efi'],
  ['//grub//grub.cfg', 'grub/grub.cfg'],
  ['undionly.kpxe\xff', 'undionly.kpxe'],
  ['../../etc/passwd', '../../etc/passwd'],
])('%j is looked up as %j', (name, looked) => expect(normaliseFileName(name)).toBe(looked))

it('reads a file and bytes alike, from any place, up to the end', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-tftp-'))
  await writeFile(join(directory, 'file'), 'abcdef')
  for (const file of [{ path: join(directory, 'file') }, { bytes: Buffer.from('abcdef') }]) {
    const reader = (await openBootFile(file, '10.77.0.100'))!
    expect(reader.sizeBytes).toBe(6)
    expect((await reader.read(2, 3)).toString()).toBe('cde')
    expect((await reader.read(4, 512)).toString()).toBe('ef')
    expect((await reader.read(6, 512)).toString()).toBe('')
    await reader.close()
  }
  await rm(directory, { recursive: true })
})
