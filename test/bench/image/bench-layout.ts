import { planLayout } from '../../../images/layout.ts'

const layout = planLayout('bench', 4 * 1024 ** 3, [
  { name: 'bios', type: 'bios-boot', size: '1MiB' },
  { name: 'root', type: 'linux-root', filesystem: 'ext4', mount: '/', size: 'rest' },
])
if ('expected' in layout) throw new Error(layout.expected)

/** The disk of the benchmark, of 4 GiB: all of it is in one ext4, which is what partclone can image in one go. */
export const benchLayout = layout
export const rootPartition = layout.partitions[1]!
