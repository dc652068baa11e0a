/* The image step of a worker in a process of its own, for tests that kill it: node capture-process.ts TASK_AS_JSON */
import { image } from '../../../appliance/steps/image.ts'
import type { GptDisk } from './gpt-disk.ts'
import { stepContext } from './step-context.ts'

export interface CaptureTask {
  disk: Pick<GptDisk, 'root' | 'target'>
  url: string
}

const { disk, url } = JSON.parse(process.argv[2]!) as CaptureTask
await image({ kind: 'image', image: 'debian-12' }, stepContext(disk, url))
