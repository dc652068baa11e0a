import { pipeline } from 'node:stream/promises'
import { Option, type Command } from 'commander'
import prettyBytes from 'pretty-bytes'
import { IngotError } from '../../errors.ts'
import { imageFormatNames, openImageFile, type ImageFormat, type OpenedImageFile } from '../../image-store/export/open-image-file.ts'
import { readImageFile } from '../../image-store/export/read-image-file.ts'
import { writeImageFile } from '../../image-store/export/write-image-file.ts'
import type { BlobStore } from '../../image-store/blob-store.ts'
import type { CommandContext } from '../context.ts'
import { createRate } from '../create-rate.ts'
import { parseImageReference } from './image-reference.ts'
import { openImages, withPlace, type PlaceOptions } from './place.ts'

interface ExportOptions extends PlaceOptions {
  format?: ImageFormat
  output?: string
  force?: true
}

const help = `
Formats:
  raw      the disk itself, sparse: for QEMU, or for a real disk with dd
  qcow2    for QEMU, libvirt, Proxmox and OpenStack
  raw.zst  the disk packed, made of the stored chunks as they are; unpack it with zstd -d
  tar      an OCI archive with signatures, proof and bill of materials: for ingot image import, skopeo, podman and oras

Examples:
  ingot image export debian-12 --data /var/lib/ingot --output disk.raw
  ingot image export debian-12:debian-12-20261123-1 --data /var/lib/ingot --format qcow2
  ingot image export debian-12 --data /var/lib/ingot --format raw.zst --output - | ssh host 'zstd -d | dd of=/dev/sdb bs=1M'`

/** `ingot image export`: an image as a file, each chunk checked against its digest on the way. */
export const addImageExport = (image: Command, context: CommandContext): Command =>
  withPlace(image.command('export').description('Writes an image as a file: a disk for other tools, or an archive for other stores. Every byte is checked.'))
    .argument('<image>', 'NAME, NAME:VERSION or NAME@DIGEST; a name alone means the newest version')
    .addOption(new Option('--format <format>', 'what to write (default: as the ending of --output says, else raw)').choices(imageFormatNames))
    .option('--output <file>', 'where to; - is standard output (default: VERSION.FORMAT in this directory)')
    .option('--force', 'replace a file that is there')
    .addHelpText('after', help)
    .action(async (wanted: string, options: ExportOptions) => {
      const { name, reference } = parseImageReference(wanted)
      const store = await openImages(options)
      const found = await store.resolve(name, reference)
      const file = await openImageFile(store, found, options.format ?? formatOf(options.output) ?? 'raw')
      const blobs = store.registry.blobs(name)
      const { output = file.fileName, force = false } = options
      if (output === '-') return writeToOutput(file, blobs, context)
      const { signal, print } = context
      await writeImageFile(file, blobs, output, { force, signal, onProgress: createRate(context) })
      print(`${output}: ${found.name}:${found.version} as ${file.format}, ${describe(file, found.config.diskSizeBytes)}`)
    })

const formatOf = (path = ''): ImageFormat | undefined => imageFormatNames.find((format) => path.endsWith(`.${format}`))

function describe({ format, sizeBytes }: OpenedImageFile, diskSizeBytes: number): string {
  const disk = `a disk of ${prettyBytes(diskSizeBytes, { binary: true })}`
  return format === 'raw' ? disk : `${prettyBytes(sizeBytes)} for ${disk}`
}

/** Standard output takes the whole file, holes as zeros; what reads it may be slow, and may leave. */
async function writeToOutput(file: OpenedImageFile, blobs: BlobStore, { output, columns, signal, showBar }: CommandContext): Promise<void> {
  if (columns !== undefined) throw new IngotError('argument-invalid', '--output -: expected standard output to go into a file or another program, got a terminal')
  const onProgress = createRate({ showBar })
  let doneBytes = 0
  const told = async function* () {
    for await (const bytes of readImageFile(file, blobs)) {
      yield bytes
      onProgress((doneBytes += bytes.length), file.sizeBytes)
    }
  }
  try {
    await pipeline(told, output, { signal, end: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
    throw new IngotError('output-closed', `standard output was closed after ${doneBytes} of ${file.sizeBytes} bytes`, { cause: error })
  }
}
