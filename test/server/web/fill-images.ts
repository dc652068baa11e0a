import { join } from 'node:path'
import type { ImageConfig } from '../../../server/api/image.ts'
import { createAttestor } from '../../../server/attest/create-attestor.ts'
import { openSigningKey } from '../../../server/attest/signing-key.ts'
import { openImageStore } from '../../../server/image-store/open-image-store.ts'
import { attachProof } from '../../../server/prove/attach-proof.ts'
import { digestOf, filled, sampleConfig, storeSample } from '../image-store/sample-image.ts'
import { machineIdOf } from './fill-data.ts'

const consoleText = Buffer.from('Debian GNU/Linux 12 web ttyS0\n\nweb login: ')
const gib = 2 ** 30
const mib = 2 ** 20

const partitions: ImageConfig['partitions'] = [
  { name: 'bios', typeGuid: '21686148-6449-6E6F-744E-656564454649', startBytes: mib, sizeBytes: mib },
  { name: 'esp', typeGuid: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B', startBytes: 2 * mib, sizeBytes: 64 * mib, filesystem: 'vfat', mountPoint: '/boot/efi' },
  { name: 'root', typeGuid: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709', startBytes: 66 * mib, sizeBytes: 4 * gib - 67 * mib, filesystem: 'ext4', mountPoint: '/' },
]

const packagesOf = (version: number): ImageConfig['packages'] => [
  { name: 'base-files', version: '12.4+deb12u12' },
  { name: 'libc6', version: '2.36-9+deb12u10' },
  { name: 'nginx', version: version === 1 ? '1.22.1-9+deb12u1' : '1.22.1-9+deb12u2' },
  ...(version === 1 ? [{ name: 'nginx-extras', version: '1.22.1-9+deb12u1' }] : [{ name: 'openssl', version: '3.0.17-1~deb12u2' }]),
]

/** Three versions of two images: `web:web-1` was proven on BIOS and signed, `web:web-2` on both firmwares, and of `debian-12:old` nobody told anything. */
export async function fillImages(directory: string): Promise<void> {
  const store = await openImageStore(join(directory, 'images'))
  const key = await openSigningKey(directory)
  const attestor = createAttestor({ registry: store.registry, key, tool: { name: 'ingot', version: '0.1.0' } })
  const publish = async (name: string, version: string, number: number) => {
    const config = sampleConfig({ diskSizeBytes: 4 * gib, job: version, machine: machineIdOf(number), partitions, packages: packagesOf(number), recipe: { name, digest: digestOf(Buffer.from(version)) } })
    const { bytes } = await storeSample(store, [filled(0, number), filled(mib, 7)], config, name)
    return store.publish(name, version, bytes)
  }
  const boot = (firmware: 'bios' | 'uefi') => ({
    ...{ firmware, secureBoot: firmware === 'uefi', loginSeconds: 25.7, seconds: 27.2, console: digestOf(consoleText) },
    checks: [{ check: 'run systemctl is-active nginx.service', seconds: 0.4 }],
  })
  await publish('debian-12', 'old', 3)
  for (const [number, firmwares] of [[1, ['bios']], [2, ['bios', 'uefi']]] as const) {
    const image = await publish('web', `web-${number}`, number)
    const boots = firmwares.map(boot)
    const facts = { programs: { qemu: '7.2.22', ovmf: '2022.11-6' }, accelerator: 'kvm', provenAt: '2026-11-23T21:24:00Z' }
    const record = { version: 1 as const, image: image.name, digest: image.digest, proof: 'booted' as const, boots, ...facts }
    const proof = await attachProof(store.registry, image, { record, consoles: boots.map((each) => ({ boot: each, text: consoleText })) })
    await attestor.attest(image, { recipe: image.config.recipe, job: image.config.job, machine: image.config.machine, startedAt: '2026-11-23T21:18:44.000Z', attempt: 1, components: [], proof })
  }
  store.close()
}
