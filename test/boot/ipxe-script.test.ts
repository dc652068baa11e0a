import { expect, it } from 'vitest'
import { renderAutoexecScript, renderLocalDiskScript, renderWaitScript, renderWorkerScript } from '../../boot/ipxe-script.ts'
import { ipxeScriptUrl } from '../../boot/offer.ts'

it('boots the worker, retries with growing sleeps, then boots the local disk', () => {
  const script = renderWorkerScript({
    httpUrl: 'http://10.77.0.1:8080',
    stage2Digest: 'sha512:9f86d081',
    ticket: 'c2VjcmV0',
  })
  expect(script).toBe(`#!ipxe
set attempt:int32 0

:retry
inc attempt
imgfree
kernel http://10.77.0.1:8080/boot/vmlinuz initrd=initramfs.img BOOTIF=01-\${netX/mac:hexhyp} ingot.server=http://10.77.0.1:8080 ingot.stage2=sha512:9f86d081 ingot.ticket=c2VjcmV0 panic=10 console=tty0 console=ttyS0,115200 || goto failed
initrd http://10.77.0.1:8080/boot/initramfs.img || goto failed
boot || goto failed

:failed
iseq \${attempt} 10 && goto local-disk ||
echo Ingot: try \${attempt} of 10 failed, next in \${attempt} seconds
sleep \${attempt}
goto retry

:local-disk
echo Ingot: gave up after 10 tries, booting the local disk
iseq \${platform} efi && exit 1 ||
sanboot --no-describe --drive 0x80 || exit 1
`)
})

it('tells the worker where to speak HTTPS, and the fingerprint to trust there', () => {
  const fingerprint = `sha256:${'9f'.repeat(32)}`
  const script = renderWorkerScript({ httpUrl: 'http://10.77.0.1:8080', stage2Digest: 'sha512:9f86d081', https: { url: 'https://10.77.0.1:8443', fingerprint }, ticket: 'c2VjcmV0' })
  expect(script.split('\n').find((line) => line.startsWith('kernel'))).toBe(
    `kernel http://10.77.0.1:8080/boot/vmlinuz initrd=initramfs.img BOOTIF=01-\${netX/mac:hexhyp} ingot.server=http://10.77.0.1:8080 ingot.stage2=sha512:9f86d081 ingot.https=https://10.77.0.1:8443 ingot.tls=${fingerprint} ingot.ticket=c2VjcmV0 panic=10 console=tty0 console=ttyS0,115200 || goto failed`,
  )
})

it('asks for an address until the offer names a boot file, then chains to the script of this machine', () => {
  expect(renderAutoexecScript(ipxeScriptUrl('http://10.77.0.1:8080'))).toBe(`#!ipxe
set attempt:int32 0

:retry
inc attempt
dhcp || goto failed
isset \${filename} || goto failed
chain --replace http://10.77.0.1:8080/boot/ipxe?mac=\${netX/mac:hexhyp}&uuid=\${uuid}&platform=\${platform} || goto failed

:failed
iseq \${attempt} 10 && goto local-disk ||
echo Ingot: try \${attempt} of 10 failed, next in \${attempt} seconds
sleep \${attempt}
goto retry

:local-disk
echo Ingot: gave up after 10 tries, booting the local disk
iseq \${platform} efi && exit 1 ||
sanboot --no-describe --drive 0x80 || exit 1
`)
})

it('F6 sends a machine on to its own disk, in the way of its firmware, and says why', () => {
  expect(renderLocalDiskScript('web:web-1 was deployed to it')).toBe(`#!ipxe
echo Ingot: booting the local disk, web:web-1 was deployed to it
iseq \${platform} efi && exit 1 ||
sanboot --no-describe --drive 0x80 || exit 1
`)
})

it('lets a machine that is not admitted ask again a bounded number of times, and says on its console what to do', () => {
  expect(renderWaitScript('52-54-00-12-34-56', 'http://10.77.0.1:8080/boot/ipxe?mac=x')).toBe(`#!ipxe
isset \${ingot-asked} || set ingot-asked:int32 0
:ask
inc ingot-asked
iseq \${ingot-asked} 91 && goto local-disk ||
echo Ingot: 52-54-00-12-34-56 is not admitted yet. On the first computer: ingot machine admit 52-54-00-12-34-56
echo Ingot: asks again in 10 seconds, \${ingot-asked} of 90 times
sleep 10
chain --replace http://10.77.0.1:8080/boot/ipxe?mac=x || goto ask

:local-disk
echo Ingot: gave up after 90 times, booting the local disk
iseq \${platform} efi && exit 1 ||
sanboot --no-describe --drive 0x80 || exit 1
`)
})
