import prettyBytes from 'pretty-bytes'
import prettyMs from 'pretty-ms'
import type { Progress } from '../../api/status.ts'

/** For example `3/7 install-rootfs 45 % of 200 MB, 20 MB/s, 6s left: unpacking debian-12-base`. */
export function renderProgress({ stepIndex, stepCount, step, doneBytes, totalBytes, bytesPerSecond = 0, detail }: Progress): string {
  const done = doneBytes === undefined ? '' : ` ${[renderShare(doneBytes, totalBytes), ...renderSpeed(bytesPerSecond, (totalBytes ?? 0) - doneBytes)].join(', ')}`
  return `${stepIndex + 1}/${stepCount} ${step}${done}${detail === undefined ? '' : `: ${detail}`}`
}

const renderShare = (doneBytes: number, totalBytes = 0): string =>
  totalBytes === 0 ? prettyBytes(doneBytes) : `${Math.floor((doneBytes / totalBytes) * 100)} % of ${prettyBytes(totalBytes)}`

const renderSpeed = (bytesPerSecond: number, leftBytes: number): string[] =>
  bytesPerSecond === 0 ? [] : [`${prettyBytes(bytesPerSecond)}/s`, ...(leftBytes > 0 ? [`${prettyMs(Math.ceil(leftBytes / bytesPerSecond) * 1000)} left`] : [])]
