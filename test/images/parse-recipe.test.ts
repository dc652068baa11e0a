import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderProblem } from '../../images/parse-document.ts'
import { parseRecipe } from '../../images/parse-recipe.ts'

const shipped = await readFile(join(import.meta.dirname, '../../images/recipes/debian-12/recipe.yaml'), 'utf8')

/** The problems of the shipped recipe once one text in it is replaced by another. */
function problemsWith(...replacements: [from: string, to: string][]): string[] {
  let text = shipped
  for (const [from, to] of replacements) {
    expect(text).toContain(from)
    text = text.replace(from, to)
  }
  return parseRecipe(text).problems.map((problem) => renderProblem('recipe.yaml', problem))
}

test('a shipped recipe is read', () => {
  const { recipe, problems } = parseRecipe(shipped)
  expect(problems).toEqual([])
  expect(recipe?.partitions?.map(({ name, size }) => [name, size])).toEqual([['bios', '1MiB'], ['esp', '64MiB'], ['root', 'rest']])
})

test.each(['xfs', 'btrfs'])('the root filesystem may be %s', (filesystem) => {
  expect(problemsWith(['filesystem: ext4', `filesystem: ${filesystem}`])).toEqual([])
})

test('every problem is reported at once, each with its place', () => {
  const problems = problemsWith(['architecture: amd64', 'architecture: arm64'], ['size: 4GiB', 'size: 4G'], ['size: 64MiB', 'sise: 64MiB'])
  expect(problems).toEqual([
    'recipe.yaml:3:15: architecture: expected an architecture that Ingot builds for: amd64, got "arm64"',
    'recipe.yaml:8:9: disk.size: expected a whole number of MiB or GiB, like 512MiB, got "4G"',
    'recipe.yaml:12:5: partitions[1].size: expected a whole number of MiB or GiB, a percentage of the disk, or rest, got nothing',
    'recipe.yaml:12:65: partitions[1].sise: expected a known key (nearest: size; all: name, type, filesystem, mount, size), got sise',
  ])
})

test('a step with two keys is refused with the keys that a step may have', () => {
  expect(problemsWith(['  - script: configure.sh', '  - { script: configure.sh, file: { from: a, to: /a } }'])).toEqual([
    expect.stringContaining('configure[2]: expected exactly one of file, script, got script and file'),
  ])
})

test('text that is no YAML is refused at the place where it stops being YAML', () => {
  expect(problemsWith(['firmware: [bios, uefi]', 'firmware: [bios, uefi'])).toEqual([expect.stringMatching(/^recipe\.yaml:\d+:\d+: expected YAML, got /)])
})

test('an empty file is refused as a whole', () => {
  expect(parseRecipe('').problems).toMatchObject([{ line: 1, column: 1, field: '', expected: 'a recipe', got: 'null' }])
})

test.each<[what: string, from: string, to: string, problem: string]>([
  ['a proof by a firmware that the recipe does not have', 'firmware: [bios, uefi]', 'firmware: [uefi]\nproof: { firmware: [uefi, bios] }', 'proof.firmware[1]: expected a firmware of the recipe (uefi), got bios'],
  ['Secure Boot without UEFI', 'firmware: [bios, uefi]', 'firmware: [bios, uefi]\nproof: { firmware: [bios], secureBoot: true }', 'proof.secureBoot: expected uefi among the firmware of the proof, which alone has Secure Boot, got bios'],
  ['an unknown key of a proof', 'firmware: [bios, uefi]', 'firmware: [bios, uefi]\nproof: { timeout: 60 }', 'proof.timeout: expected a known key (nearest: firmware; all: firmware, secureBoot, timeoutSeconds), got timeout'],
  ['a proof that is neither', 'firmware: [bios, uefi]', 'firmware: [bios, uefi]\nproof: full', 'proof: expected none, or firmware, secureBoot and timeoutSeconds, got "full"'],
  ['no root', 'mount: /, ', 'mount: /srv, ', 'partitions: expected a partition mounted at /, got none'],
  ['no EFI system partition', '  - { name: esp, type: esp, filesystem: vfat, mount: /boot/efi, size: 64MiB }\n', '', 'partitions: expected a partition of type esp, which firmware uefi boots from, got none'],
  ['no BIOS boot partition', '  - { name: bios, type: bios-boot, size: 1MiB }\n', '', 'partitions: expected a partition of type bios-boot, which firmware bios boots from, got none'],
  ['an EFI system partition that is mounted elsewhere', 'mount: /boot/efi', 'mount: /efi', 'partitions[1]: expected mount /boot/efi for esp, got /efi'],
  ['an EFI system partition with another filesystem', 'filesystem: vfat', 'filesystem: ext4', 'partitions[1]: expected filesystem vfat for esp, got ext4'],
  ['a filesystem in the BIOS boot partition', 'type: bios-boot,', 'type: bios-boot, filesystem: ext4,', 'partitions[0].filesystem: expected none in bios-boot, got ext4'],
  ['an XFS that mkfs would refuse', 'size: 64MiB }\n', 'size: 64MiB }\n  - { name: data, type: linux, filesystem: xfs, mount: /srv, size: 200MiB }\n', 'partitions[2].size: expected at least 300 MiB for xfs, got 200 MiB'],
  ['a FAT as root', 'filesystem: ext4', 'filesystem: vfat', 'partitions[2].filesystem: expected ext4, xfs or btrfs for /, got vfat'],
  ['two partitions at one mount point', 'mount: /boot/efi', 'mount: /', 'partitions[2].mount: expected a mount point of its own, got /, where esp is mounted'],
  ['a mount point that the kernel fills', 'mount: /boot/efi', 'mount: /proc/efi', 'partitions[1].mount: expected a mount point outside /dev, /proc, /sys, /run, got /proc/efi'],
  ['two partitions of one name', 'name: esp', 'name: root', 'partitions[2].name: expected a name of its own, got a second root'],
  ['two rests', 'size: 64MiB', 'size: rest', 'partitions[2].size: expected only one partition of size rest, got 2 of them'],
  ['partitions larger than the disk', 'size: 64MiB', 'size: 4GiB', 'partitions: expected partitions that fit into 4094 MiB, got 4098 MiB'],
  ['no base system', '  - rootfs:', '  - packages: [nginx]\n  - rootfs:', 'install[0]: expected rootfs or debootstrap first, got packages'],
  ['no boot loader', '  - bootloader:\n      kernelArguments: console=tty0 console=ttyS0,115200\n', '', 'install: expected a bootloader step, got none'],
  ['no kernel', '        - linux-image-amd64\n', '', 'install: expected a kernel (a package linux-image-…) before the bootloader, got none'],
  ['no GRUB', '        - grub-cloud-amd64\n', '', 'install: expected the package grub-cloud-amd64 (GRUB for BIOS and UEFI, signed) before the bootloader, got none'],
  ['no image', 'image:\n  name: debian-12\n', '', 'image: expected the name under which the image is published, got nothing'],
  ['a largest disk below the smallest', 'size: 4GiB', 'size: 4GiB\n  maxSize: 2GiB', 'disk.maxSize: expected no less than size and minSize, got 2GiB'],
  ['a path out of the recipe', 'from: hosts', 'from: ../hosts', "configure[0].file.from: expected the path of a file in the recipe's folder, without . or .., got \"../hosts\""],
  ['a relative place in the installed system', 'to: /etc/hosts', 'to: etc/hosts', 'configure[0].file.to: expected an absolute path without . or .., like /etc/hosts, got "etc/hosts"'],
  ['kernel arguments that would end the line in grub.cfg', 'console=tty0 ', "'console=tty0 $(x)' # ", 'install[1].bootloader.kernelArguments: expected kernel arguments without quotes, like console=ttyS0,115200, got "console=tty0 $(x)"'],
])('a recipe with %s is refused', (_, from, to, problem) => {
  expect(problemsWith([from, to])).toContainEqual(expect.stringContaining(problem))
})

const derived = `name: web
description: a page on top of another image
architecture: amd64
firmware: [bios]
from: debian-12-nginx:web-1
disk: { size: 5GiB }
image: { name: web }
`

test('a recipe that starts from an image needs neither partitions nor install steps', () => {
  expect(parseRecipe(derived)).toMatchObject({ recipe: { from: 'debian-12-nginx:web-1' }, problems: [] })
  expect(parseRecipe(`${derived}install:\n  - packages: [curl]\n`).problems).toEqual([])
})

test.each([
  ['partitions of its own', `${derived}partitions:\n  - { name: root, type: linux-root, filesystem: ext4, mount: /, size: rest }\n`, 'partitions: expected none beside from: they come with the image, got 1 of them'],
  ['a base system', `${derived}install:\n  - rootfs: { suite: bookworm, packages: [nano] }\n`, 'install[0]: expected packages or bootloader beside from: the base system comes with the image, got rootfs'],
  ['two boot loaders', `${derived}install:\n  - bootloader: { kernelArguments: a }\n  - bootloader: { kernelArguments: b }\n`, 'install[1]: expected one bootloader step, got a second'],
  ['a name that is none', derived.replace('from: debian-12-nginx:web-1', 'from: Debian'), 'from: expected the name of an image, and a version after a colon if not the newest, like debian-12 or debian-12:web-1, got "Debian"'],
  ['nothing to start from', derived.replace('from: debian-12-nginx:web-1\n', ''), 'partitions: expected a list of partitions, or from, got nothing'],
])('a recipe that starts from an image is refused with %s', (_, text, problem) => {
  expect(parseRecipe(text).problems.map((each) => renderProblem('recipe.yaml', each))).toContainEqual(expect.stringContaining(problem))
})
