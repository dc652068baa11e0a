import prettyBytes from 'pretty-bytes'
import type { Progress } from '../../api/status.ts'

/** For example `3/7 install-rootfs 45 % of 200 MB: unpacking debian-12-base`. */
export function renderProgress({ stepIndex, stepCount, step, doneBytes, totalBytes, detail }: Progress): string {
  const done =
    doneBytes === undefined
      ? ''
      : totalBytes === undefined || totalBytes === 0
        ? ` ${prettyBytes(doneBytes)}`
        : ` ${Math.floor((doneBytes / totalBytes) * 100)} % of ${prettyBytes(totalBytes)}`
  return `${stepIndex + 1}/${stepCount} ${step}${done}${detail === undefined ? '' : `: ${detail}`}`
}
