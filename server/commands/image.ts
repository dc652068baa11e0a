import type { Command } from 'commander'
import pMap from 'p-map'
import prettyBytes from 'pretty-bytes'
import { checkStore } from '../image-store/check-store.ts'
import { openImageStore } from '../image-store/open-image-store.ts'
import { renderStoreReport } from '../image-store/render-store-report.ts'
import { graceMs } from '../image-store/start-upkeep.ts'
import { readProof } from '../prove/attach-proof.ts'
import { renderProof } from '../prove/render-proof.ts'
import type { CommandContext } from './context.ts'
import { createRate } from './create-rate.ts'
import { addImageDiff } from './image/diff.ts'
import { addImageExport } from './image/export.ts'
import { addImageImport } from './image/import.ts'
import { addImageKey } from './image/key.ts'
import { imagesOf, openImages, withPlace, type PlaceOptions } from './image/place.ts'
import { addImageRemove } from './image/remove.ts'
import { addImageShow } from './image/show.ts'
import { addImageVerify } from './image/verify.ts'
import { renderTable } from './render-table.ts'

/** `ingot image list|show|export|import|gc|fsck|verify|key|diff|remove`: the images of a first computer. All of it may run beside the server. */
export function addImage(program: Command, context: CommandContext): Command {
  const image = program
    .command('image')
    .summary('list, show, compare, export, import, check, verify and remove images')
    .description('The images that a first computer received. Each of these may run while the server does.')
  addList(image, context)
  addImageShow(image, context)
  addImageExport(image, context)
  addImageImport(image, context)
  addGarbageCollection(image, context)
  addCheck(image, context)
  addImageVerify(image, context)
  addImageKey(image, context)
  addImageDiff(image, context)
  addImageRemove(image, context)
  return image
}

const addList = (image: Command, { print, say, columns }: CommandContext): Command =>
  withPlace(image.command('list').description('Shows every version of every image, oldest first.'))
    .option('--json', 'machine-readable output')
    .addHelpText('after', '\nExamples:\n  ingot image list --data /var/lib/ingot\n  ingot image list --config /etc/ingot/ingot.yaml --json')
    .action(async (options: PlaceOptions & { json?: true }) => {
      const store = await openImages(options)
      const versions = await pMap(await store.list(), async (each) => ({ ...each, proof: await readProof(store.registry, each) }), { concurrency: 8 })
      if (options.json === true) return print(JSON.stringify(versions.map(({ proof, ...each }) => ({ ...each, proof: proof?.proof ?? null }))))
      if (versions.length === 0) return say('no images yet; a job makes one: ingot job add RECIPE')
      const rows = versions.map(({ name, version, publishedAt, digest, proof }) => [`${name}:${version}`, publishedAt, digest, renderProof(proof)])
      for (const line of renderTable(['IMAGE', 'PUBLISHED', 'DIGEST', 'PROOF'], rows, columns)) print(line)
    })

const addGarbageCollection = (image: Command, { print }: CommandContext): Command =>
  image
    .command('gc')
    .description('Removes blobs that no image needs and nobody asked for within a day. The server does this by itself, daily and when an image was removed.')
    .requiredOption('--data <directory>', 'data directory of the first computer, whose server may run meanwhile')
    .option('--dry-run', 'only tell what would be removed')
    .option('--json', 'machine-readable output')
    .addHelpText('after', '\nExample:\n  ingot image gc --data /var/lib/ingot --dry-run')
    .action(async ({ data, dryRun = false, json }: { data: string; dryRun?: boolean; json?: true }) => {
      const store = await openImageStore(imagesOf(data))
      const report = await store.registry.collectGarbage({ keepSince: new Date(Date.now() - graceMs), dryRun })
      if (json === true) return print(JSON.stringify(report))
      const told = ({ blobs, bytes }: { blobs: number; bytes: number }) => `${blobs} blobs of ${prettyBytes(bytes)}`
      print(`${told(report.removed)} ${dryRun ? 'would be removed' : 'were removed'}; ${told(report.used)} are needed, ${told(report.recent)} are too new to tell`)
    })

const addCheck = (image: Command, { print, showBar, signal, exit }: CommandContext): Command =>
  image
    .command('fsck')
    .description('Reads every blob through and measures all images against them. Exits with 1 when something is damaged.')
    .requiredOption('--data <directory>', 'data directory of the first computer, whose server may run meanwhile')
    .option('--repair', 'put damaged blobs aside, so that the next push sends them again')
    .option('--json', 'machine-readable output')
    .addHelpText('after', '\nExample:\n  ingot image fsck --data /var/lib/ingot --repair')
    .action(async ({ data, repair = false, json }: { data: string; repair?: boolean; json?: true }) => {
      const rate = createRate({ showBar })
      const report = await checkStore(imagesOf(data), { repair, signal, onProgress: rate })
      if (json === true) print(JSON.stringify(report))
      else for (const line of renderStoreReport(report)) print(line)
      if (!report.whole) exit(1)
    })
