import type { Fault } from './fault.ts'
import type { Recipe, RecipePartition } from './recipe.ts'
import { planLayout } from './layout.ts'
import type { Filesystem, PlannedPartition } from './plan.ts'
import { mebibyte, parseSize, renderSize } from './size.ts'

/** Every reason why an image of this recipe could not be made or would not boot. */
export function checkRecipe(recipe: Recipe): Fault[] {
  return [...checkDiskRule(recipe), ...(recipe.from === undefined ? checkFromNothing(recipe) : checkFromImage(recipe)), ...checkProof(recipe)]
}

/** A recipe that makes all of its disk by itself. */
function checkFromNothing(recipe: Recipe): Fault[] {
  const { partitions, install } = recipe
  if (partitions === undefined || install === undefined) {
    return (['partitions', 'install'] as const).flatMap((key) =>
      recipe[key] === undefined ? [{ path: [key], expected: `a list of ${key === 'install' ? 'install steps' : 'partitions'}, or from`, got: 'nothing' }] : [],
    )
  }
  const whole = { ...recipe, partitions, install }
  return [...checkLayout(whole), ...checkNames(whole), ...checkMounts(whole), ...checkBoot(whole), ...checkInstall(whole)]
}

/** A recipe that starts from an image, which has partitions, a base system and boot loaders already. */
function checkFromImage({ partitions, install = [] }: Recipe): Fault[] {
  const bases = install.flatMap((step, index) => ('rootfs' in step || 'debootstrap' in step ? [{ index, got: Object.keys(step).join() }] : []))
  const bootloaders = install.flatMap((step, index) => ('bootloader' in step ? [index] : []))
  return [
    ...(partitions === undefined ? [] : [{ path: ['partitions'], expected: 'none beside from: they come with the image', got: `${partitions.length} of them`, atKey: true as const }]),
    ...bases.map(({ index, got }) => ({ path: ['install', index], expected: 'packages or bootloader beside from: the base system comes with the image', got })),
    ...bootloaders.slice(1).map((index) => ({ path: ['install', index], expected: 'one bootloader step', got: 'a second' })),
  ]
}

/** With all that a recipe has which does not start from an image. */
type WholeRecipe = Recipe & Required<Pick<Recipe, 'partitions' | 'install'>>

function checkDiskRule({ disk }: Recipe): Fault[] {
  const minBytes = Math.max(parseSize(disk.size)!, parseSize(disk.minSize ?? disk.size)!)
  return disk.maxSize !== undefined && parseSize(disk.maxSize)! < minBytes
    ? [{ path: ['disk', 'maxSize'], expected: 'no less than size and minSize', got: disk.maxSize }]
    : []
}

function checkLayout({ name, disk, partitions }: WholeRecipe): Fault[] {
  const faults: Fault[] = []
  const layout = planLayout(name, parseSize(disk.size)!, partitions)
  if ('expected' in layout) {
    const path = layout.partition === undefined ? ['partitions'] : ['partitions', layout.partition, 'size']
    faults.push({ path, expected: layout.expected, got: layout.got })
  } else faults.push(...layout.partitions.flatMap(checkFilesystemSize))
  return faults
}

/** Below these sizes mkfs refuses: mkfs.xfs(8) since xfsprogs 5.19, mkfs.btrfs(8) with two copies of its metadata. */
const smallestBytes: Readonly<Partial<Record<Filesystem, number>>> = { xfs: 300 * mebibyte, btrfs: 109 * mebibyte }

function checkFilesystemSize({ filesystem, sizeBytes }: PlannedPartition, index: number): Fault[] {
  const least = filesystem === undefined ? undefined : smallestBytes[filesystem]
  if (least === undefined || sizeBytes >= least) return []
  return [{ path: ['partitions', index, 'size'], expected: `at least ${renderSize(least)} for ${filesystem}`, got: renderSize(sizeBytes) }]
}

const checkNames = ({ partitions }: WholeRecipe): Fault[] =>
  partitions.flatMap(({ name }, index) =>
    partitions.findIndex((other) => other.name === name) < index
      ? [{ path: ['partitions', index, 'name'], expected: 'a name of its own', got: `a second ${name}` }]
      : [],
  )

/** Filled by the kernel of a running system, never by a partition. */
const kernelMounts = ['/dev', '/proc', '/sys', '/run']

const checkMounts = ({ partitions }: WholeRecipe): Fault[] =>
  partitions.flatMap(({ mount, filesystem }, index) => {
    if (mount === undefined) return []
    const path = ['partitions', index, 'mount']
    const first = partitions.findIndex((other) => other.mount === mount)
    if (first < index) return [{ path, expected: 'a mount point of its own', got: `${mount}, where ${partitions[first]!.name} is mounted` }]
    if (kernelMounts.some((kernel) => mount === kernel || mount.startsWith(`${kernel}/`))) {
      return [{ path, expected: `a mount point outside ${kernelMounts.join(', ')}`, got: mount }]
    }
    return filesystem === undefined ? [{ path: ['partitions', index], expected: `a filesystem to mount at ${mount}`, got: 'none' }] : []
  })

function checkBoot({ firmware, partitions }: WholeRecipe): Fault[] {
  const faults: Fault[] = []
  const root = partitions.findIndex(({ mount }) => mount === '/')
  if (root === -1) faults.push({ path: ['partitions'], expected: 'a partition mounted at /', got: 'none' })
  else if (partitions[root]!.filesystem === 'vfat') faults.push({ path: ['partitions', root, 'filesystem'], expected: 'ext4, xfs or btrfs for /', got: 'vfat' })

  const needed = [
    { firmware: 'bios', type: 'bios-boot' },
    { firmware: 'uefi', type: 'esp' },
  ] as const
  for (const need of needed) {
    const found = partitions.flatMap((partition, index) => (partition.type === need.type ? [{ partition, index }] : []))
    if (found.length > 1) faults.push({ path: ['partitions', found[1]!.index, 'type'], expected: `one ${need.type} partition`, got: 'a second' })
    if (found.length === 0 && firmware.includes(need.firmware)) {
      faults.push({ path: ['partitions'], expected: `a partition of type ${need.type}, which firmware ${need.firmware} boots from`, got: 'none' })
    }
    for (const { partition, index } of found) faults.push(...checkBootPartition(partition, index))
  }
  return faults
}

function checkBootPartition({ type, filesystem, mount }: RecipePartition, index: number): Fault[] {
  if (type === 'bios-boot') {
    // GRUB writes its core image over the whole partition.
    return [
      ...(filesystem === undefined ? [] : [{ path: ['partitions', index, 'filesystem'], expected: 'none in bios-boot', got: filesystem }]),
      ...(mount === undefined ? [] : [{ path: ['partitions', index, 'mount'], expected: 'none for bios-boot', got: mount }]),
    ]
  }
  return [
    ...(filesystem === 'vfat' ? [] : [{ path: ['partitions', index], expected: 'filesystem vfat for esp', got: filesystem ?? 'none' }]),
    // Where Debian's grub-install and shim-signed look for it.
    ...(mount === '/boot/efi' ? [] : [{ path: ['partitions', index], expected: 'mount /boot/efi for esp', got: mount ?? 'none' }]),
  ]
}

function checkInstall({ install }: WholeRecipe): Fault[] {
  const faults: Fault[] = []
  const bases = install.flatMap((step, index) => ('rootfs' in step || 'debootstrap' in step ? [index] : []))
  if (bases[0] !== 0) faults.push({ path: ['install', 0], expected: 'rootfs or debootstrap first', got: Object.keys(install[0]!).join() })
  for (const index of bases.slice(1)) faults.push({ path: ['install', index], expected: 'one rootfs or debootstrap', got: 'a second' })

  const bootloaders = install.flatMap((step, index) => ('bootloader' in step ? [index] : []))
  if (bootloaders.length === 0) faults.push({ path: ['install'], expected: 'a bootloader step', got: 'none' })
  for (const index of bootloaders.slice(1)) faults.push({ path: ['install', index], expected: 'one bootloader step', got: 'a second' })

  const beforeBootloader = install.slice(0, bootloaders[0] ?? install.length)
  const packages = beforeBootloader.flatMap((step) =>
    'rootfs' in step ? step.rootfs.packages : 'debootstrap' in step ? step.debootstrap.packages : 'packages' in step ? step.packages : [],
  )
  if (!packages.some((name) => name.startsWith('linux-image-'))) {
    faults.push({ path: ['install'], expected: 'a kernel (a package linux-image-…) before the bootloader', got: 'none' })
  }
  if (!packages.includes('grub-cloud-amd64')) {
    faults.push({ path: ['install'], expected: 'the package grub-cloud-amd64 (GRUB for BIOS and UEFI, signed) before the bootloader', got: 'none' })
  }
  return faults
}

function checkProof({ firmware, proof = {} }: Recipe): Fault[] {
  if (proof === 'none') return []
  const proven = proof.firmware ?? firmware
  const foreign = proven.findIndex((each) => !firmware.includes(each))
  return [
    ...(foreign === -1 ? [] : [{ path: ['proof', 'firmware', foreign], expected: `a firmware of the recipe (${firmware.join(', ')})`, got: proven[foreign]! }]),
    ...(proof.secureBoot !== true || proven.includes('uefi') ? [] : [{ path: ['proof', 'secureBoot'], expected: 'uefi among the firmware of the proof, which alone has Secure Boot', got: proven.join(', ') }]),
  ]
}
