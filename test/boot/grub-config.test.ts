import { expect, it } from 'vitest'
import { renderLocalDiskConfig, renderWaitConfig, renderWorkerConfig } from '../../boot/grub-config.ts'

it('boots the worker by TFTP, retries with growing sleeps, then goes back to the firmware', () => {
  expect(renderWorkerConfig({ httpUrl: 'http://10.77.0.1:8080', stage2Digest: 'sha256:9f86d081', ticket: 'c2VjcmV0' })).toBe(`set timeout=0
for attempt in 1 2 3 4 5; do
  if linux /vmlinuz BOOTIF=01-$net_default_mac ingot.server=http://10.77.0.1:8080 ingot.stage2=sha256:9f86d081 ingot.ticket=c2VjcmV0 panic=10 console=tty0 console=ttyS0,115200; then
    if initrd /initramfs.img; then
      boot
    fi
  fi
  echo "Ingot: try $attempt of 5 failed, next in $attempt seconds"
  sleep $attempt
done
echo "Ingot: gave up after 5 tries, booting the local disk"
exit
`)
})

it('tells the worker where to speak HTTPS, and the fingerprint to trust there', () => {
  const https = { url: 'https://10.77.0.1:8443', fingerprint: `sha256:${'9f'.repeat(32)}` }
  expect(renderWorkerConfig({ httpUrl: 'http://10.77.0.1:8080', stage2Digest: 'sha512:9f86d081', https, ticket: 'c2VjcmV0' }).split('\n')[2]).toBe(
    `  if linux /vmlinuz BOOTIF=01-$net_default_mac ingot.server=http://10.77.0.1:8080 ingot.stage2=sha512:9f86d081 ingot.https=${https.url} ingot.tls=${https.fingerprint} ingot.ticket=c2VjcmV0 panic=10 console=tty0 console=ttyS0,115200; then`,
  )
})

it('boots the local disk, and says why', () =>
  expect(renderLocalDiskConfig('web:web-1 was deployed to it')).toBe('echo "Ingot: booting the local disk, web:web-1 was deployed to it"\nexit\n'))

it('says of a machine that is not admitted what to do, and goes on', () =>
  expect(renderWaitConfig('52-54-00-12-34-56')).toBe(`echo "Ingot: 52-54-00-12-34-56 is not admitted yet. On the first computer: ingot machine admit 52-54-00-12-34-56"
echo "Ingot: then start it again; booting the local disk in 30 seconds"
sleep 30
exit
`))
