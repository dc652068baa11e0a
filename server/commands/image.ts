import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import prettyBytes from 'pretty-bytes'
import { parseConfig } from '../config.ts'
import { IngotError } from '../errors.ts'
import { checkStore } from '../image-store/check-store.ts'
import { exportRaw } from '../image-store/export-raw.ts'
import { openConfiguredImages } from '../image-store/images-config.ts'
import { openImageStore, type ImageStore } from '../image-store/open-image-store.ts'
import { renderStoreReport } from '../image-store/render-store-report.ts'
import { graceMs } from '../image-store/start-upkeep.ts'
import type { CommandContext } from './context.ts'
import { createRate } from './create-rate.ts'

interface PlaceOptions {
  data?: string
  config?: string
}

/** Images lie in the data directory, or in the registry that the configuration names. */
const withPlace = (command: Command): Command =>
  command.option('--data <directory>', 'data directory of the first computer').option('--config <file>', 'its configuration, which may name a registry')

async function openImages({ data, config }: PlaceOptions): Promise<ImageStore> {
  if ((data === undefined) === (config === undefined)) {
    throw new IngotError('argument-invalid', `expected --data DIR or --config FILE, got ${data === undefined ? 'neither' : 'both'}`)
  }
  if (data !== undefined) return openImageStore(imagesOf(data))
  const text = await readFile(config!, 'utf8').catch((error: Error) => {
    throw new IngotError('config-invalid', `the configuration cannot be read: ${error.message}`, { cause: error })
  })
  const parsed = parseConfig(text, config!)
  return (await openConfiguredImages(parsed.images, parsed.dataDirectory)).store
}

const imagesOf = (data: string): string => join(data, 'images')

/** `ingot image list|export|gc|fsck`: the images of a first computer. All of it may run beside the server. */
export function addImage(program: Command, context: CommandContext): Command {
  const image = program
    .command('image')
    .summary('list, export and check images')
    .description('The images that a first computer received. Each of these may run while the server does.')
  addList(image, context)
  addExport(image, context)
  addGarbageCollection(image, context)
  addCheck(image, context)
  return image
}

const addList = (image: Command, { print }: CommandContext): Command =>
  withPlace(image.command('list').description('Shows every version of every image, oldest first.'))
    .option('--json', 'machine-readable output')
    .action(async (options: PlaceOptions & { json?: true }) => {
      const versions = await (await openImages(options)).list()
      if (options.json === true) return print(JSON.stringify(versions))
      if (versions.length === 0) return print('no images yet; a job makes one: ingot job add RECIPE')
      for (const each of versions) print(`${each.name}:${each.version}  ${each.publishedAt}  ${each.digest}`)
    })

const addExport = (image: Command, { print, say, signal }: CommandContext): Command =>
  withPlace(image.command('export').description('Writes an image as a raw disk: sparse, every byte checked. Boot it with QEMU, or write it to a disk with dd.'))
    .argument('<image>', 'NAME or NAME:VERSION; without a version the newest')
    .argument('<file>', 'the raw disk to write; one that is there is replaced')
    .addHelpText('after', '\nExample:\n  ingot image export debian-12 disk.raw --data /var/lib/ingot')
    .action(async (reference: string, file: string, options: PlaceOptions) => {
      const [name = '', version] = reference.split(':')
      const store = await openImages(options)
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

const addGarbageCollection = (image: Command, { print }: CommandContext): Command =>
  image
    .command('gc')
    .description('Removes blobs that no image needs and nobody asked for within a day. The server does this by itself, daily and when an image was removed.')
    .requiredOption('--data <directory>', 'data directory of the first computer, whose server may run meanwhile')
    .option('--dry-run', 'only tell what would be removed')
    .option('--json', 'machine-readable output')
    .action(async ({ data, dryRun = false, json }: { data: string; dryRun?: boolean; json?: true }) => {
      const store = await openImageStore(imagesOf(data))
      const report = await store.registry.collectGarbage({ keepSince: new Date(Date.now() - graceMs), dryRun })
      if (json === true) return print(JSON.stringify(report))
      const told = ({ blobs, bytes }: { blobs: number; bytes: number }) => `${blobs} blobs of ${prettyBytes(bytes)}`
      print(`${told(report.removed)} ${dryRun ? 'would be removed' : 'were removed'}; ${told(report.used)} are needed, ${told(report.recent)} are too new to tell`)
    })

const addCheck = (image: Command, { print, say, signal, exit }: CommandContext): Command =>
  image
    .command('fsck')
    .description('Reads every blob through and measures all images against them. Exits with 1 when something is damaged.')
    .requiredOption('--data <directory>', 'data directory of the first computer, whose server may run meanwhile')
    .option('--repair', 'put damaged blobs aside, so that the next push sends them again')
    .option('--json', 'machine-readable output')
    .action(async ({ data, repair = false, json }: { data: string; repair?: boolean; json?: true }) => {
      const rate = createRate(say)
      const report = await checkStore(imagesOf(data), { repair, signal, onProgress: rate })
      if (json === true) print(JSON.stringify(report))
      else for (const line of renderStoreReport(report)) print(line)
      if (!report.whole) exit(1)
    })
