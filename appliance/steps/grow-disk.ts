import { renderSize } from '../../images/size.ts'
import { growDisk } from '../restore/grow-disk.ts'
import { writtenImage, type StepExecutor } from './context.ts'

/** Lets the image that was written use all of its disk. */
export const growDiskStep: StepExecutor<'grow-disk'> = async (_, context) => {
  const { run, signal, log, progress } = context
  progress({ detail: 'growing the last partition to the end of the disk' })
  const grown = await growDisk({ ...writtenImage(context), run, signal })
  if (grown === undefined) return log.info('nothing is grown')
  log.info(grown, 'grown')
  progress({ detail: `${grown.name} grew from ${renderSize(grown.fromBytes)} to ${renderSize(grown.toBytes)}` })
}
