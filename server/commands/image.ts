import { join } from 'node:path'
import type { Command } from 'commander'
import prettyBytes from 'pretty-bytes'
import { exportRaw } from '../image-store/export-raw.ts'
import { openImageStore } from '../image-store/open-image-store.ts'
import type { CommandContext } from './context.ts'

/** `ingot image list|export`: the images in a data directory. */
export function addImage(program: Command, { print, say, signal }: CommandContext): Command {
  const image = program.command('image').summary('list and export images').description('The images that a first computer received, in its data directory.')
  image
    .command('list')
    .description('Shows every version of every image, oldest first.')
    .requiredOption('--data <directory>', 'data directory of the first computer')
    .option('--json', 'machine-readable output')
    .action(async (options: { data: string; json?: true }) => {
      const versions = await (await openImageStore(join(options.data, 'images'))).list()
      if (options.json === true) return print(JSON.stringify(versions))
      if (versions.length === 0) return print('no images yet; a job makes one: ingot job add RECIPE')
      for (const each of versions) print(`${each.name}:${each.version}  ${each.publishedAt}  ${each.digest}`)
    })
  image
    .command('export')
    .description('Writes an image as a raw disk: sparse, every byte checked. Boot it with QEMU, or write it to a disk with dd.')
    .argument('<image>', 'NAME or NAME:VERSION; without a version the newest')
    .argument('<file>', 'the raw disk to write; one that is there is replaced')
    .requiredOption('--data <directory>', 'data directory of the first computer')
    .addHelpText('after', '\nExample:\n  ingot image export debian-12 disk.raw --data /var/lib/ingot')
    .action(async (reference: string, file: string, options: { data: string }) => {
      const [name = '', version] = reference.split(':')
      const store = await openImageStore(join(options.data, 'images'))
      const found = await store.resolve(name, version)
      let percent = -10
      await exportRaw(store, name, file, {
        reference: found.digest,
        signal,
        onProgress: (doneBytes, totalBytes) => {
          const now = Math.floor((doneBytes / totalBytes) * 100)
          if (now >= percent + 10) say(`${(percent = now)} % of ${prettyBytes(totalBytes)}`)
        },
      })
      print(`${file}: ${found.name}:${found.version}, a disk of ${prettyBytes(found.config.diskSizeBytes, { binary: true })}`)
    })
  return image
}
