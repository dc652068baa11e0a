import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Recipe } from '../../images/recipe.ts'
import { exportRaw } from '../image-store/export-raw.ts'
import { openImageStore } from '../image-store/open-image-store.ts'
import { proveImage, type Proof } from '../prove/prove-image.ts'
import { MachineFailure } from '../rack/machine-failure.ts'
import { machineId, type Firmware } from '../rack/machine-spec.ts'
import { machineMac } from './build-image.ts'
import type { DemoContext } from './context.ts'

/**
 * Shows that each image boots on another machine: writes it to a disk and starts a copy with every firmware of its recipe, from nothing but
 * that disk. Two copies of an image must not pass for one another (B24).
 */
export async function proveImages(images: readonly { image: string; version: string }[], recipe: Recipe, context: DemoContext): Promise<void> {
  const { options, paths, feed, emit, accelerator, run, start, signal } = context
  const store = await openImageStore(join(paths.data, 'images'))
  let copies = 0
  for (const { image, version } of images) {
    const diskPath = join(paths.run, `${version}.raw`)
    emit({ kind: 'task', task: 'image to disk', state: 'begun', detail: `${image}:${version}` })
    await exportRaw(store, image, diskPath, { reference: version, signal })
    emit({ kind: 'task', task: 'image to disk', state: 'done', detail: `${image}:${version}, each chunk checked` })
    const proofs: Proof[] = []
    for (const firmware of recipe.firmware) {
      const name = `${firmware}-${++copies}`
      const secureBoot = firmware === 'uefi' && options.secureBoot
      const mac = machineMac(1, copies)
      const sinceMs = Date.now()
      const machine = machineId(mac)
      emit({ kind: 'power-on', machine, name, hardware: `${describeFirmware(firmware, secureBoot)}, no network boot, a copy of the image's disk` })
      const proof = await proveImage({
        ...{ name, mac, firmware, secureBoot, accelerator, diskPath, run, start, signal },
        checks: recipe.check ?? [],
        directory: join(paths.run, name),
        addressOf: (id, until) => feed.addressOf(id, sinceMs, until),
        onEvent: (event) => emit({ kind: 'proof', machine, event }),
      })
      requireOwnIdentity(name, proof, proofs)
      proofs.push(proof)
      emit({ kind: 'proven', machine, name, image: `${image}:${version}`, loginMs: Math.round(proof.loginMs), checkedMs: Math.round(proof.checkedMs) })
    }
    if (!options.keep) await rm(diskPath)
  }
}

const describeFirmware = (firmware: Firmware, secureBoot: boolean): string => (firmware === 'bios' ? 'BIOS' : secureBoot ? 'UEFI with Secure Boot' : 'UEFI')

function requireOwnIdentity(name: string, proof: Proof, others: readonly Proof[]): void {
  for (const part of ['machineId', 'sshHostKey'] as const) {
    if (!others.some((other) => other.identity[part] === proof.identity[part])) continue
    throw new MachineFailure(name, `has the same ${part} as another copy of the image: ${proof.identity[part]}`, { tail: () => [], path: proof.consolePath })
  }
}
