import { expect, it } from 'vitest'
import { filesForGrub, loadBootFiles } from '../../../server/netboot/boot-file-map.ts'
import { readBootFile } from '../../../server/netboot/tftp/file-map.ts'

const httpUrl = 'http://10.77.0.1:8080'
const machineAt = (address: string) => (address === '10.77.0.100' ? '02-00-00-00-00-01' : undefined)
const secureBoot = { kernelPath: '/a/vmlinuz', initramfsPath: '/a/initramfs.img', grubConfig: async (machine: string, address: string) => `${machine} at ${address}` }

it('without Secure Boot iPXE and its script are served, and nothing else', async () => {
  expect([...(await loadBootFiles(httpUrl, { secureBoot: false })).keys()]).toEqual(['undionly.kpxe', 'snponly.efi', 'ipxe.efi', 'ipxe.pxe', 'autoexec.ipxe'])
})

it('with Secure Boot GRUB stands beside shim under the name that shim asks for', async () => {
  expect([...(await loadBootFiles(httpUrl, { secureBoot: true })).keys()]).toEqual(expect.arrayContaining(['shimx64.efi', 'grubx64.efi', 'mmx64.efi']))
})

it("GRUB's configuration is made for the machine that asks, and is not found by one that is not known", async () => {
  const files = filesForGrub(secureBoot, machineAt)
  const config = files.get('grub/grub.cfg')
  if (config === undefined) throw new Error('grub/grub.cfg expected')
  expect((await readBootFile(config, '10.77.0.100'))?.toString()).toBe('02-00-00-00-00-01 at 10.77.0.100')
  expect(await readBootFile(config, '10.77.0.7')).toBeUndefined()
  expect([files.get('vmlinuz'), files.get('initramfs.img')]).toEqual([{ path: '/a/vmlinuz' }, { path: '/a/initramfs.img' }])
})
